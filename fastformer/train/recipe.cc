#include "fastformer/train/recipe.h"

#include <algorithm>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "fastformer/data/pair_reader.h"

namespace fastformer::train {
namespace {

std::string resolved_metric(const Recipe& recipe) {
  const auto known = recipe.task.metrics();
  const auto& metric = recipe.train.metric;
  if (metric == "auto") return known.front();
  if (std::find(known.begin(), known.end(), metric) != known.end()) return metric;
  std::string list;
  for (const auto& name : known) list.append(list.empty() ? "" : ", ").append(name);
  throw std::invalid_argument("train.metric = \"" + metric + "\" is not measured by the task " +
                              recipe.task.name + "; choose one of " + list);
}

// Fields that the task would read and not heed.
void check_heeded(const Recipe& recipe) {
  const auto& train = recipe.train;
  const TrainConfig standard;
  const auto refuse = [&](const char* field, bool differs) {
    if (!differs) return;
    throw std::invalid_argument("train." + std::string(field) + " has no effect on " +
                                recipe.task.name + "; leave it out");
  };
  if (recipe.task.name == "classification") return;
  refuse("class_weights", train.loss.class_weights != standard.loss.class_weights);
  refuse("prior_adjustment", train.loss.prior_adjustment != standard.loss.prior_adjustment);
  if (recipe.task.name == "summarization") return;
  refuse("label_smoothing", train.loss.label_smoothing != standard.loss.label_smoothing);
  refuse("batch_by", train.batch.batch_by != standard.batch.batch_by);
}

void read_summarization(const base::ConfigTree& tree, Recipe& recipe) {
  tree.read_section("data", recipe.pairs);
  recipe.summarizer = tasks::read_summarizer_config(tree);
  tree.read_section("search", recipe.search);
  auto& pairs = recipe.pairs;
  pairs.max_source_tokens = recipe.summarizer.source.document_limit(pairs.max_source_tokens);
  pairs.max_target_tokens = recipe.summarizer.summary_limit(pairs.max_target_tokens);
}

}  // namespace

Recipe Recipe::load(const std::filesystem::path& path,
                    const std::vector<std::string>& assignments) {
  auto tree = base::ConfigTree::from_toml(path);
  for (const auto& assignment : assignments) tree.set(assignment);
  return from_tree(tree);
}

Recipe Recipe::from_tree(const base::ConfigTree& tree) {
  Recipe recipe;
  tree.read_section("task", recipe.task);
  std::vector<std::string> sections = {"task", "data", "text", "model", "train"};
  if (recipe.task.name == "summarization") sections.emplace_back("search");
  tree.check_sections(sections);
  tree.read_section("text", recipe.text);
  tree.read_section("train", recipe.train);
  recipe.train.metric = resolved_metric(recipe);
  check_heeded(recipe);
  if (recipe.task.name == "recommendation") {
    tree.read_section("data", recipe.clicks);
    recipe.recommender = tasks::read_recommender_config(tree);
    tasks::check_pretrained_text(recipe.recommender, recipe.text);
    if (recipe.recommender.has_pretrained() && !recipe.train.word_vectors.empty()) {
      throw std::invalid_argument(
          "train.word_vectors is for models that learn vectors of words; "
          "leave it out with " +
          recipe.recommender.model);
    }
    recipe.clicks.title_tokens = recipe.recommender.title_limit(recipe.clicks.title_tokens);
  } else if (recipe.task.name == "summarization") {
    read_summarization(tree, recipe);
  } else {
    tree.read_section("data", recipe.data);
    recipe.model = tasks::read_model_config(tree);
    // Documents are cut where the positions end, and counted as cut.
    recipe.data.max_tokens = recipe.model.document_limit(recipe.data.max_tokens);
  }
  return recipe;
}

base::ConfigTree Recipe::tree() const {
  base::ConfigTree tree;
  tree.write_section("task", task);
  if (task.name == "recommendation") {
    tree.write_section("data", clicks);
    tree.write_section("model", recommender);
  } else if (task.name == "summarization") {
    tree.write_section("data", pairs);
    tree.write_section("model", summarizer);
    tree.write_section("search", search);
  } else {
    tree.write_section("data", data);
    tree.write_section("model", model);
  }
  tree.write_section("text", text);
  tree.write_section("train", train);
  return tree;
}

std::string Recipe::cache() const {
  if (task.name == "recommendation") return {};
  return task.name == "summarization" ? pairs.cache : data.cache;
}

std::vector<RecipeSource> Recipe::sources() const {
  std::vector<RecipeSource> sources;
  const auto add = [&](const std::string& field, const std::filesystem::path& path) {
    if (!path.empty()) sources.push_back({field, path});
  };
  const auto add_parts = [&](const auto& section, const auto& files_of) {
    for (const auto& [field, entries] : {std::pair{"data.train", &section.train},
                                         std::pair{"data.validation", &section.validation},
                                         std::pair{"data.test", &section.test}}) {
      for (const auto& entry : *entries) {
        for (const auto& file : files_of(entry)) add(field, file);
      }
    }
  };
  const auto itself = [](const std::string& entry) { return std::vector<std::string>{entry}; };
  if (task.name == "recommendation") {
    add_parts(clicks, itself);
    for (const auto& file : clicks.news) add("data.news", file);
    if (recommender.has_pretrained()) {
      add("model.pretrained", std::filesystem::path(recommender.pretrained) / "model.safetensors");
    }
  } else if (task.name == "summarization") {
    add_parts(pairs, [this](const std::string& entry) { return data::pair_sources(pairs, entry); });
  } else {
    add_parts(data, itself);
  }
  add("text.model_file", text.model_file);
  add("train.word_vectors", train.word_vectors);
  return sources;
}

bool Recipe::has_test_part() const {
  if (task.name == "recommendation") return !clicks.test.empty() || clicks.test_fraction > 0;
  if (task.name == "summarization") return !pairs.test.empty();
  return !data.test.empty() || data.test_fraction > 0;
}

std::optional<RecipeDifference> first_difference(const std::string& now,
                                                 const std::string& before) {
  std::istringstream now_lines(now), before_lines(before);
  while (true) {
    RecipeDifference lines;
    const bool more_now = static_cast<bool>(std::getline(now_lines, lines.now));
    const bool more_before = static_cast<bool>(std::getline(before_lines, lines.before));
    if (!more_now && !more_before) return std::nullopt;
    if (more_now != more_before || lines.now != lines.before) return lines;
  }
}

}  // namespace fastformer::train

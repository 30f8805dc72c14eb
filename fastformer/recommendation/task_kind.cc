#include "fastformer/recommendation/task_kind.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <unordered_set>
#include <utility>

#include "fastformer/base/format.h"
#include "fastformer/base/model_directory.h"
#include "fastformer/kernels/parallel.h"
#include "fastformer/recommendation/dataset.h"
#include "fastformer/recommendation/evaluation.h"
#include "fastformer/recommendation/recommender_model.h"
#include "fastformer/recommendation/recommender_service.h"
#include "fastformer/recommendation/score_ensemble.h"
#include "fastformer/recommendation/training.h"
#include "fastformer/train/run_directory.h"

namespace fastformer::recommendation {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<train::Recipe> read_recipe(const base::ConfigTree& tree) {
  return std::make_unique<Recipe>(Recipe::read(tree));
}

std::vector<train::RecipeSection> sections() {
  return {{"data", [](base::FieldVisitor& visit) { DataConfig().visit_fields(visit); }},
          {"model", [](base::FieldVisitor& visit) { Recipe().model.visit_fields(visit); }},
          {"text", [](base::FieldVisitor& visit) { text::TokenizerConfig().visit_fields(visit); }},
          {"train", [](base::FieldVisitor& visit) { Recipe().visit_train_fields(visit); }}};
}

std::string encoder_text(const model::EncoderConfig& config) {
  return base::format("%s, layers %ld, width %ld, heads %ld", config.mixer.name().c_str(),
                      config.layers, config.width, config.heads);
}

std::string inspect(const fs::path& directory) {
  const auto content = RecommenderContent::load(directory);
  const auto& config = content.model->config();
  const bool matched = config.model == ModelKind::kFim;
  std::string text =
      base::format("kind recommender\nvocabulary %ld\nmodel %s\n",
                   content.tokenizer->vocabulary_size(), base::word_of(config.model));
  if (config.has_pretrained()) {
    text += base::format("titles by a pre-trained encoder, layers %ld, width %ld\n",
                         config.bert.layers, config.bert.width);
  } else if (!matched) {
    text += "titles by " + encoder_text(config.encoder) + "\n";
  }
  if (!matched) text += "users by " + encoder_text(config.user_encoder()) + "\n";
  if (content.clicks) {
    text += base::format("%zu items known by their clicks", content.clicks->ids.size());
    for (const auto& member : config.items.members) text += ", " + member;
    text += base::format("; weight of the score of titles %.3g, decay %.3g\n",
                         content.clicks->titles_weight, content.clicks->decay);
  }
  return text +
         base::format("titles of at most %ld tokens, histories of at most %ld clicks\n",
                      config.title_limit(content.data_config.title_tokens),
                      content.data_config.history) +
         train::parameter_table(content.model->parameters());
}

// A recommender with its data.
struct OpenedRecommender {
  std::unique_ptr<RecommenderModel> model;
  std::shared_ptr<const ClickScores> clicks;
  Dataset dataset;
  DataConfig sources;

  const ImpressionLog& log() const { return dataset.parts.test; }
};

// Whether the paths are equal, or one is a file in the other.
bool same_source(const fs::path& a, const fs::path& b) {
  const auto same = [](const fs::path& first, const fs::path& second) {
    std::error_code ignored;
    return fs::equivalent(first, second, ignored);
  };
  return same(a, b) || same(a.parent_path(), b) || same(a, b.parent_path());
}

// The files become the test part; histories keep earlier clicks if the format needs them.
void measure_on(const std::vector<std::string>& files, bool has_clicks, DataConfig& config) {
  if (!knows_earlier_parts(config.format)) {
    config.train.clear();
    config.validation.clear();
  }
  for (const auto& file : files) {
    const auto is_file = [&](const std::string& source) { return same_source(file, source); };
    if (std::any_of(config.train.begin(), config.train.end(), is_file)) {
      throw std::invalid_argument(file +
                                  ": the model was trained on this file; give another file, or no "
                                  "file to use the test part of its recipe");
    }
    if (has_clicks && std::any_of(config.validation.begin(), config.validation.end(), is_file)) {
      throw std::invalid_argument(
          file +
          ": model.items.members were fitted to this file, the validation part; give "
          "another file");
    }
    std::erase_if(config.validation, is_file);
  }
  config.validation_fraction = config.test_fraction = 0;
  config.test = files;
}

// A model names its files without their folders; the recipe of the run around it has both.
DataConfig with_folders(const fs::path& model, const DataConfig& own) {
  const auto recipe = model / ".." / train::kRecipeFile;
  if (!fs::exists(recipe)) return own;
  const auto tree = base::ConfigTree::from_toml(recipe);
  if (!tree.contains("task", "name") || !tree.contains("data")) return own;
  const auto text = [](const DataConfig& config) {
    base::ConfigTree section;
    section.write_section("data", config);
    return section.without_folders().to_toml();
  };
  try {
    DataConfig config = own;
    tree.read_section("data", config);
    return text(config) == text(own) ? config : own;
  } catch (const std::invalid_argument&) {
    return own;  // the section is that of another task
  }
}

void check_sources(const fs::path& model, const DataConfig& config) {
  const auto check = [&](const char* field, const std::vector<std::string>& paths) {
    for (const auto& path : paths) {
      if (fs::exists(path)) continue;
      throw std::invalid_argument(path + ": does not exist, and " + model.string() +
                                  " does not tell its folder; give the path by --set data." +
                                  field + "=[\"...\"]");
    }
  };
  check("train", config.train);
  check("validation", config.validation);
  check("news", config.news);
}

OpenedRecommender open_recommender(const fs::path& path, const train::EvaluationRequest& request) {
  auto content = RecommenderContent::load(path);
  auto config = with_folders(path, content.data_config);
  base::ConfigTree::from_assignments(request.set, {"data"}).read_section("data", config);
  const auto files = request.data.empty() ? config.test : request.data;
  if (!files.empty()) {
    measure_on(files, content.clicks != nullptr, config);
  } else if (config.test_fraction == 0) {
    throw std::invalid_argument(
        path.string() +
        ": the recipe of the model has no test part; give the files on which to evaluate it");
  }
  check_sources(path, config);
  config.title_tokens = content.model->config().title_limit(config.title_tokens);
  auto dataset = prepare(config, std::move(content.tokenizer));
  return {std::move(content.model), std::move(content.clicks), std::move(dataset),
          std::move(config)};
}

void score(const OpenedRecommender& first, const train::EvaluationRequest& request,
           const ScoreUse& use) {
  if (request.ensemble.empty()) {
    return score_with_clicks(*first.model, first.clicks, first.dataset, first.log(), use);
  }
  ScoreEnsemble ensemble;
  ensemble.add(*first.model, first.dataset, first.clicks);
  for (const auto& path : request.ensemble) {
    const auto member = open_recommender(path, request);
    ensemble.add(*member.model, member.dataset, member.clicks);
  }
  ensemble.visit(first.log(), use);
}

// Checked before any model is scored, which may take hours.
void check_ensemble(const std::vector<fs::path>& members) {
  for (const auto& path : members) {
    const auto kind = base::kind_of_model(path);
    if (kind == kModelKind) continue;
    throw std::invalid_argument("--ensemble: " + path.string() + " contains a " + kind +
                                ", expected a recommender");
  }
}

// An input file must not be overwritten.
void check_predictions_place(const train::EvaluationRequest& request, const DataConfig& config) {
  if (!fs::exists(request.predictions)) return;
  std::vector<fs::path> read = {request.model};
  read.insert(read.end(), request.ensemble.begin(), request.ensemble.end());
  for (const auto* sources : {&request.data, &config.train, &config.test, &config.news}) {
    read.insert(read.end(), sources->begin(), sources->end());
  }
  for (const auto& path : read) {
    std::error_code ignored;
    if (!fs::equivalent(request.predictions, path, ignored) &&
        !fs::equivalent(request.predictions.parent_path(), path, ignored)) {
      continue;
    }
    throw std::invalid_argument("--predictions: " + request.predictions.string() +
                                " is an input or is inside one; choose another file");
  }
}

// A prediction identifies its impression only by this id.
void check_ids(const ImpressionLog& log) {
  std::unordered_set<std::string_view> ids;
  for (std::int64_t i = 0; i < log.size(); ++i) {
    const auto id = log[i].id;
    if (ids.insert(id).second) continue;
    throw std::invalid_argument("--predictions: several impressions have the id '" +
                                std::string(id) +
                                "', but ids must be unique; evaluate one file at a time");
  }
}

void report_unknown(const Dataset& dataset, const train::NoticeSink& notice) {
  for (const auto& sentence : dataset.notices) notice(sentence);
  const auto& counts = dataset.parts.test.counts();
  if (counts.unknown_candidates == 0 && counts.unknown_history == 0) return;
  notice(base::format(
      "unknown items: %lld of %lld shown items, which count as items without a title; %lld in "
      "histories, which are ignored",
      static_cast<long long>(counts.unknown_candidates), static_cast<long long>(counts.candidates),
      static_cast<long long>(counts.unknown_history)));
}

train::EvaluationReport evaluate_model(const train::EvaluationRequest& request,
                                       const train::NoticeSink& notice) {
  if (!request.errors.empty()) {
    throw std::invalid_argument("--errors is for classifiers, but " + request.model.string() +
                                " contains a recommender");
  }
  check_ensemble(request.ensemble);
  const kernels::ComputeScope scope(request.options.precision, request.options.threads);
  const auto opened = open_recommender(request.model, request);
  report_unknown(opened.dataset, notice);
  const bool writes = !request.predictions.empty();
  if (writes) {
    check_ids(opened.log());
    check_predictions_place(request, opened.sources);
  } else {
    check_labelled(opened.log(), "to write predictions, add --predictions FILE");
  }
  const bool labelled = opened.log().labelled();
  RecommenderMeter meter;
  const auto scorer = [&](const ScoreUse& use) { score(opened, request, use); };
  if (writes) {
    write_rankings(scorer, request.predictions, labelled ? &meter : nullptr);
  } else {
    scorer([&](const auto& impression, auto scores) { meter.add(impression, scores); });
  }
  if (!labelled) return {};
  const auto result = meter.result();
  return {evaluation_table(result), evaluation_json(result)};
}

std::shared_ptr<const base::ModelService> serve(const train::ServiceRequest& request) {
  if (request.items.empty()) {
    throw std::invalid_argument(request.model.string() +
                                " contains a recommender, which needs items; name their file with "
                                "--items");
  }
  auto recommender = Recommender::load(request.model, request.options);
  auto catalogue = recommender.catalogue(request.items, {.approximate = request.approximate});
  return std::make_shared<RecommenderService>(std::move(recommender), std::move(catalogue));
}

}  // namespace

train::TaskKind task_kind() {
  return {.name = Recipe().task(),
          .models = {kModelKind},
          .commands = {"recommend", "embed"},
          .read_recipe = read_recipe,
          .sections = sections,
          .inspect = inspect,
          .evaluate = evaluate_model,
          .serve = serve,
          .export_parts = nullptr};
}

}  // namespace fastformer::recommendation

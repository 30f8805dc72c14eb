#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>

#include "fastformer/base/format.h"
#include "fastformer/cli/commands.h"
#include "fastformer/cli/model_data.h"
#include "fastformer/data/reader.h"
#include "fastformer/tasks/model_directory.h"
#include "fastformer/tasks/recommender.h"
#include "fastformer/tasks/summarizer.h"
#include "fastformer/text/word_tokenizer.h"
#include "fastformer/train/recipe.h"

namespace fastformer::cli {
namespace {

namespace fs = std::filesystem;

struct InspectFlags {
  fs::path subject;
  std::vector<std::string> set;
};

std::string shape_text(const at::Tensor& tensor) {
  std::ostringstream out;
  out << tensor.sizes();
  return out.str();
}

void print_parameters(const nn::ParameterMap& parameters) {
  std::int64_t total = 0, touched = 0;
  for (const auto& [name, weight] : parameters) {
    std::cout << base::format("%-58s %16s\n", name.c_str(), shape_text(weight).c_str());
    total += weight.numel();
    const bool table = name.starts_with("embedding.") || name.starts_with("pretrained.embeddings.");
    if (!table) touched += weight.numel();
  }
  std::cout << base::format(
      "parameters %ld (%.1f MB), of them outside the embedding %ld\n"
      "at most %.2f million multiply-adds a token, forward\n",
      total, static_cast<double>(total) * 4 / 1e6, touched, static_cast<double>(touched) / 1e6);
}

void inspect_model(const fs::path& path) {
  const auto content = tasks::load_model(path);
  print_parameters(content.model->parameters());
  std::cout << "vocabulary " << content.tokenizer->vocabulary_size() << '\n'
            << "classes " << content.format.labels.size() << '\n';
  for (const auto& label : content.format.labels) std::cout << "  " << label << '\n';
}

void inspect_recipe(const InspectFlags& flags) {
  const auto recipe = train::Recipe::load(flags.subject, flags.set);
  std::cout << recipe.tree().to_toml() << '\n';
  // The vocabulary is known only after the training text is read: its limit is an upper bound.
  const auto vocabulary = recipe.text.vocabulary_size;
  std::cout << "With the largest vocabulary the recipe allows"
            << (recipe.task.name == "classification" ? ", and two classes:\n" : ":\n");
  if (recipe.task.name == "recommendation") {
    const auto& config = recipe.recommender;
    const auto tokens = config.has_pretrained() ? config.bert.vocabulary_size : vocabulary;
    print_parameters(tasks::Recommender(config, tokens, 0).parameters());
  } else if (recipe.task.name == "summarization") {
    print_parameters(tasks::Summarizer(recipe.summarizer, {vocabulary + 2, 0, 1}, 0).parameters());
  } else {
    print_parameters(tasks::TextClassifier(recipe.model, vocabulary, 2, 0).parameters());
  }
}

struct DataStatistics {
  std::map<std::string, std::int64_t> labels;
  std::vector<std::int64_t> lengths;
};

DataStatistics read_statistics(const data::DataConfig& config, const fs::path& path) {
  DataStatistics statistics;
  const auto reader = data::open_reader(config, path);
  for (data::Example example; reader->next(example);) {
    ++statistics.labels[example.label];
    std::int64_t words = 0;
    text::visit_words(example.text, [&](std::string_view) { return ++words > 0; });
    statistics.lengths.push_back(words);
  }
  std::sort(statistics.lengths.begin(), statistics.lengths.end());
  return statistics;
}

void inspect_data(const InspectFlags& flags) {
  data::DataConfig config;
  const auto name = flags.subject.string();
  if (fs::is_directory(flags.subject)) config.format = "imdb";
  if (name.find(".jsonl") != std::string::npos) config.format = "jsonl";
  if (name.find(".tsv") != std::string::npos) config.format = "tsv";
  config = override_data(config, flags.set);
  const auto statistics = read_statistics(config, flags.subject);
  const auto& lengths = statistics.lengths;
  const auto at = [&](double share) {
    return lengths[static_cast<std::size_t>(share * static_cast<double>(lengths.size() - 1))];
  };
  std::int64_t words = 0;
  for (const auto length : lengths) words += length;
  std::cout << base::format(
      "rows %zu\nwords %ld; a row: mean %.1f, median %ld, 95 %% %ld, longest %ld\n", lengths.size(),
      words, static_cast<double>(words) / static_cast<double>(lengths.size()), at(0.5), at(0.95),
      lengths.back());
  for (const auto& [label, count] : statistics.labels) {
    std::cout << base::format("%10ld  ", count) << (label.empty() ? "(no label)" : label) << '\n';
  }
}

void inspect(const InspectFlags& flags) {
  if (!fs::exists(flags.subject)) {
    throw std::invalid_argument(flags.subject.string() +
                                " does not exist; give a model directory, a recipe or a data file");
  }
  if (fs::exists(flags.subject / "config.json")) return inspect_model(flags.subject);
  if (flags.subject.extension() == ".toml") return inspect_recipe(flags);
  inspect_data(flags);
}

}  // namespace

void add_inspect_command(CLI::App& app) {
  const auto flags = std::make_shared<InspectFlags>();
  auto* command = app.add_subcommand("inspect", "Show what a model, a recipe or a data file holds");
  command->add_option("subject", flags->subject, "Model directory, recipe (.toml) or data")
      ->required();
  command->add_option("--set", flags->set, "Override a field: section.key=value")
      ->type_name("KEY=VALUE");
  command->callback([flags] { inspect(*flags); });
}

}  // namespace fastformer::cli

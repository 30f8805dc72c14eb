#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>

#include "fastformer/base/format.h"
#include "fastformer/cli/commands.h"
#include "fastformer/cli/model_data.h"
#include "fastformer/data/reader.h"
#include "fastformer/nn/parameter_count.h"
#include "fastformer/tasks/model_directory.h"
#include "fastformer/tasks/model_files.h"
#include "fastformer/tasks/recommender_directory.h"
#include "fastformer/tasks/summarizer_directory.h"
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
  for (const auto& [name, weight] : parameters) {
    std::cout << base::format("%-58s %16s\n", name.c_str(), shape_text(weight).c_str());
  }
  const auto [all, outside_tables] = nn::count_of(parameters);
  std::cout << base::format(
      "parameters %ld (%.1f MB), of them outside the embedding %ld\n"
      "at most %.2f million multiply-adds a token, forward\n",
      all, static_cast<double>(all) * 4 / 1e6, outside_tables,
      static_cast<double>(outside_tables) / 1e6);
}

std::string encoder_text(const nn::EncoderConfig& config) {
  return base::format("%s, layers %ld, width %ld, heads %ld", config.mixer.c_str(), config.layers,
                      config.width, config.heads);
}

// 0: no limit.
std::string length_text(std::int64_t limit) {
  return limit > 0 ? base::format("at most %ld tokens", limit) : "any length";
}

// The parameters, and the lines that models of all kinds have.
void print_model(const std::string& kind, const nn::ParameterMap& parameters,
                 const text::Tokenizer& tokenizer) {
  print_parameters(parameters);
  std::cout << "kind " << kind << "\nvocabulary " << tokenizer.vocabulary_size() << '\n';
}

void inspect_classifier(const fs::path& path) {
  const auto content = tasks::load_model(path);
  print_model("classifier", content.model->parameters(), *content.tokenizer);
  std::cout << "encoder " << encoder_text(content.model_config.encoder) << '\n'
            << "classes " << content.format.labels.size() << '\n';
  for (const auto& label : content.format.labels) std::cout << "  " << label << '\n';
}

void inspect_recommender(const fs::path& path) {
  const auto content = tasks::load_recommender(path);
  const auto& config = content.model->config();
  print_model("recommender", content.model->parameters(), *content.tokenizer);
  std::cout << "model " << config.model << '\n';
  if (config.has_pretrained()) {
    std::cout << base::format("titles by a pre-trained encoder, layers %ld, width %ld\n",
                              config.bert.layers, config.bert.width);
  } else if (config.model != "fim") {
    std::cout << "titles by " << encoder_text(config.encoder) << '\n';
  }
  if (config.model != "fim") std::cout << "users by " << encoder_text(config.user()) << '\n';
  std::cout << base::format("titles of at most %ld tokens, users by their last %ld clicks\n",
                            config.title_limit(content.data_config.title_tokens),
                            content.data_config.history);
}

void inspect_summarizer(const fs::path& path) {
  const auto content = tasks::load_summarizer(path);
  const auto& config = content.model->config();
  const auto& search = content.search;
  print_model("summarizer", content.model->parameters(), *content.tokenizer);
  std::cout << "encoder " << encoder_text(config.source.encoder) << '\n'
            << base::format("decoder layers %ld, %s\n", config.decoder_layers,
                            config.copy ? "copies from the document" : "does not copy")
            << "documents of " << length_text(content.data_config.max_source_tokens)
            << ", summaries of " << length_text(search.max_tokens) << '\n'
            << "search " << search.method
            << (search.method == "beam" ? base::format(", beams %ld", search.beams) : "") << '\n';
}

void inspect_model(const fs::path& path) {
  const auto kind = tasks::kind_of_model(path);
  if (kind == "recommender") return inspect_recommender(path);
  if (kind == "summarizer") return inspect_summarizer(path);
  inspect_classifier(path);
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

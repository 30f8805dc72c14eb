#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "fastformer/base/format.h"
#include "fastformer/classification/classifier.h"
#include "fastformer/classification/classifier_model.h"
#include "fastformer/classification/readers/reader.h"
#include "fastformer/cli/commands.h"
#include "fastformer/cli/explanation_text.h"
#include "fastformer/cli/model_options.h"
#include "fastformer/cli/terminal_output.h"
#include "fastformer/data/line_stream.h"
#include "fastformer/train/task_kind.h"

namespace fastformer::cli {
namespace {

struct PredictFlags {
  std::filesystem::path model;
  std::string input = "-";
  std::string format = "lines";
  std::vector<std::string> set;
  bool json = false, explain = false;
  Options options;
};

// The texts of the input one after another: lines, or the rows of a data set.
class TextInput {
 public:
  TextInput(const PredictFlags& flags, const classification::DataConfig& trained_on) {
    if (flags.format == "lines") {
      lines_ = std::make_unique<data::LineStream>(flags.input);
      return;
    }
    auto config = trained_on;
    // Other columns than those of the training data may be in another format.
    if (flags.format != trained_on.format) config.text_columns.clear();
    config.test_text_columns.clear();
    config.format = flags.format;
    config.label_column.clear();
    config.group_column.clear();
    train::assigned(flags.set, {"data"}).read_section("data", config);
    reader_ = classification::open_reader(config, flags.input);
  }

  bool next(std::string& text) {
    if (lines_) return lines_->next(text);
    classification::Example example;
    if (!reader_->next(example)) return false;
    text = std::move(example.text);
    return true;
  }

 private:
  std::unique_ptr<data::LineStream> lines_;
  std::unique_ptr<classification::Reader> reader_;
};

double probability(const Prediction& prediction) {
  return *std::max_element(prediction.probabilities.begin(), prediction.probabilities.end());
}

std::string json_line(const Prediction& prediction, const std::vector<std::string>& labels,
                      const std::string& explanation) {
  nlohmann::ordered_json json = {{"label", prediction.label}};
  for (std::size_t i = 0; i < labels.size(); ++i) {
    json["probabilities"][labels[i]] = prediction.probabilities[i];
  }
  if (!explanation.empty()) json["explanation"] = nlohmann::ordered_json::parse(explanation);
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string text_line(const Prediction& prediction, const std::string& text) {
  return prediction.label + base::format("\t%.4f\t", probability(prediction)) + text + "\n";
}

void explain(const PredictFlags& flags, const Classifier& classifier, TextInput& input) {
  const bool color = isatty(STDOUT_FILENO) != 0;
  for (std::string text; input.next(text);) {
    const auto result = classifier.explain(text);
    if (flags.json) {
      std::cout << json_line(result.prediction, classifier.labels(), explanation_json(result));
    } else {
      std::cout << text_line(result.prediction, text) << std::flush;
      coloured_output() << explanation_text(result, color);
    }
    coloured_output().flush();
    std::cout.flush();
  }
}

void predict(const PredictFlags& flags) {
  check_model_for("predict", flags.model);
  const auto classifier = Classifier::load(flags.model, flags.options);
  TextInput input(flags, classifier.content().data_config);
  if (flags.explain) return explain(flags, classifier, input);
  // A person at a terminal wants each answer at once.
  const bool typed = flags.input == "-" && isatty(STDIN_FILENO) != 0;
  const std::size_t batch = typed ? 1 : 64;
  std::vector<std::string> texts;
  const auto flush = [&] {
    const auto predictions = classifier.classify(texts);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      std::cout << (flags.json ? json_line(predictions[i], classifier.labels(), "")
                               : text_line(predictions[i], texts[i]));
    }
    std::cout.flush();
    texts.clear();
  };
  for (std::string text; input.next(text);) {
    texts.push_back(text);
    if (texts.size() == batch) flush();
  }
  flush();
}

}  // namespace

void add_predict_command(CLI::App& app) {
  const auto flags = std::make_shared<PredictFlags>();
  auto* command = app.add_subcommand("predict", "Classify texts, one answer for each");
  command->add_option("model", flags->model, "Model directory")->required();
  command->add_option("input", flags->input, "Input file; - is the standard input")
      ->capture_default_str();
  auto formats = classification::reader_names();
  formats.insert(formats.begin(), "lines");
  command
      ->add_option("--format", flags->format,
                   "Input format. lines: one text per line; the others as data.format in a recipe")
      ->check(CLI::IsMember(formats))
      ->capture_default_str();
  command
      ->add_option("--set", flags->set,
                   "Override how the input is read: data.text_columns=[\"body\"]")
      ->type_name("KEY=VALUE");
  command->add_flag("--json", flags->json,
                    "Print one JSON object per line, with all probabilities");
  command->add_flag("--explain", flags->explain, "Add the weights that the model gave the tokens");
  add_compute_options(*command, flags->options);
  command->callback([flags] { predict(*flags); });
}

}  // namespace fastformer::cli

#include <unistd.h>

#include <memory>
#include <stdexcept>

#include "fastformer/classification/classifier.h"
#include "fastformer/classification/classifier_model.h"
#include "fastformer/cli/answers/explanation_text.h"
#include "fastformer/cli/answers/prediction_input.h"
#include "fastformer/cli/answers/prediction_output.h"
#include "fastformer/cli/commands.h"
#include "fastformer/cli/model_options.h"
#include "fastformer/cli/progress.h"
#include "fastformer/cli/terminal_output.h"
#include "fastformer/runtime/explanation_json.h"

namespace fastformer::cli {
namespace {

struct PredictFlags {
  std::filesystem::path model, output_file;
  InputOptions input;
  bool json = false, explain = false;
  OutputOptions output;
  Options options;
};

void explain(const PredictFlags& flags, const Classifier& classifier, PredictionInput& input,
             std::ostream& out) {
  const bool color = flags.output_file.empty() && isatty(STDOUT_FILENO) != 0;
  PredictionOutput answers(out, flags.output, classifier);
  for (PredictionInput::Record record; input.next(record);) {
    const auto result = classifier.explain(record.text);
    const bool json = flags.output.format == OutputFormat::kJsonl;
    answers.write(record, result.prediction, json ? runtime::token_weights_json(result) : "");
    out.flush();
    if (!json) {
      auto& explained = color ? coloured_output() : out;
      explained << explanation_text(result, color);
      if (!classifier.several_labels()) explained << ngrams_text("n-grams", result.ngrams);
      for (const auto& [label, probability] : answers.label_set(result.prediction)) {
        explained << ngrams_text("n-grams of " + label, classifier.ngrams(record.text, label));
      }
      explained.flush();
    }
  }
}

void classify(const PredictFlags& flags, const Classifier& classifier, PredictionInput& input,
              std::ostream& out) {
  PredictionOutput answers(out, flags.output, classifier);
  RecordCounter counter("texts", flags.output_file.empty() && isatty(STDOUT_FILENO) != 0);
  input.for_each_batch([&](const auto& records, const auto& texts) {
    const auto predictions = classifier.classify(texts);
    for (std::size_t i = 0; i < records.size(); ++i) answers.write(records[i], predictions[i]);
    out.flush();
    counter.add(records.size());
  });
}

void predict(PredictFlags flags) {
  check_model_for("predict", flags.model);
  if (flags.json) flags.output.format = OutputFormat::kJsonl;
  if (flags.explain && flags.output.format == OutputFormat::kCsv) {
    throw std::invalid_argument(
        "--explain adds lines that are not csv to the output; use --output-format jsonl");
  }
  const auto classifier = Classifier::load(flags.model, flags.options);
  PredictionInput input(flags.input, classifier.data_config());
  const auto run = [&](std::ostream& out) {
    if (flags.explain) {
      explain(flags, classifier, input, out);
    } else {
      classify(flags, classifier, input, out);
    }
  };
  write_output(flags.output_file, run);
  for (const auto& notice : input.notices()) log_line(notice);
}

void add_output_options(CLI::App& command, PredictFlags& flags) {
  auto& output = flags.output;
  add_word_option(
      command, "--output-format", output.format,
      "tsv: label, probability and text, with tabs and line ends as \\t and \\n; csv: the same "
      "columns, with a header row; jsonl: row, label, probability, and the probabilities of all "
      "classes. For a model with several labels per text: labels and probabilities, with "
      "data.label_separator or ; between them");
  command.add_flag("--json", flags.json, "The same as --output-format jsonl");
  command.add_flag("--keep", output.keep,
                   "Write the columns of the input, followed by the prediction");
  command
      .add_option(
          "--top-k", output.top,
          "Number of classes per text, most probable first (default: 1); with several labels "
          "per text, write these instead of the labels above their thresholds")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000'000}));
  command
      .add_option("--threshold", output.threshold,
                  "Abstain if the most probable class has a lower probability; with several labels "
                  "per text, the threshold of all labels")
      ->check(CLI::Range(0.0, 1.0));
  command
      .add_option("--abstain", output.abstain,
                  "Label to write if the model abstains; jsonl writes null, or an empty list")
      ->capture_default_str();
  command.add_option(
      "--output", flags.output_file,
      "Write the predictions to this file, which is created once all of them are complete");
  command.add_flag("--explain", flags.explain, "Add the weight that the model gives to each token");
}

}  // namespace

void add_predict_command(CLI::App& app) {
  const auto flags = std::make_shared<PredictFlags>();
  auto* command = app.add_subcommand("predict", "Classify texts, one prediction per text");
  command->add_option("model", flags->model, "Model directory")->required();
  add_input_options(*command, flags->input);
  add_output_options(*command, *flags);
  add_compute_options(*command, flags->options);
  command->callback([flags] { predict(*flags); });
}

}  // namespace fastformer::cli

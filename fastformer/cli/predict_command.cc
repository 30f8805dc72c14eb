#include <unistd.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <stdexcept>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/format.h"
#include "fastformer/classification/classifier.h"
#include "fastformer/classification/classifier_model.h"
#include "fastformer/cli/commands.h"
#include "fastformer/cli/explanation_text.h"
#include "fastformer/cli/model_options.h"
#include "fastformer/cli/prediction_input.h"
#include "fastformer/cli/prediction_output.h"
#include "fastformer/cli/terminal_output.h"

namespace fastformer::cli {
namespace {

struct PredictFlags {
  std::filesystem::path model, output_file;
  std::string input = "-";
  std::string format = "auto";
  std::vector<std::string> set;
  bool json = false, explain = false;
  OutputOptions output;
  Options options;
};

// How many texts are done, for a person who waits for a file or a pipe.
class TextCounter {
 public:
  explicit TextCounter(bool output_is_seen)
      : shown_(isatty(STDERR_FILENO) != 0 && !output_is_seen), started_(Clock::now()) {}
  ~TextCounter() {
    if (written_) std::cerr << "\r\x1b[K" << std::flush;
  }

  void add(std::size_t texts) {
    count_ += texts;
    const std::chrono::duration<double> total = Clock::now() - started_;
    if (!shown_ || total.count() < next_) return;
    next_ = total.count() + 0.5;
    written_ = true;
    std::cerr << base::format("\r\x1b[K%zu texts, %.0f per second", count_,
                              static_cast<double>(count_) / total.count())
              << std::flush;
  }

 private:
  using Clock = std::chrono::steady_clock;

  bool shown_, written_ = false;
  Clock::time_point started_;
  std::size_t count_ = 0;
  double next_ = 1;  // seconds from the start
};

void explain(const PredictFlags& flags, const Classifier& classifier, PredictionInput& input,
             std::ostream& out) {
  const bool color = flags.output_file.empty() && isatty(STDOUT_FILENO) != 0;
  PredictionOutput answers(out, flags.output, classifier);
  for (PredictionInput::Record record; input.next(record);) {
    const auto result = classifier.explain(record.text);
    const bool json = flags.output.format == OutputFormat::kJsonl;
    answers.write(record, result.prediction, json ? explanation_json(result) : "");
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
  // A person at a terminal wants each answer at once.
  const bool typed = flags.input == "-" && isatty(STDIN_FILENO) != 0;
  const std::size_t batch = typed ? 1 : 64;
  PredictionOutput answers(out, flags.output, classifier);
  TextCounter counter(flags.output_file.empty() && isatty(STDOUT_FILENO) != 0);
  std::vector<PredictionInput::Record> records;
  std::vector<std::string> texts;
  const auto flush = [&] {
    texts.clear();
    for (const auto& record : records) texts.push_back(record.text);
    const auto predictions = classifier.classify(texts);
    for (std::size_t i = 0; i < records.size(); ++i) answers.write(records[i], predictions[i]);
    out.flush();
    counter.add(records.size());
    records.clear();
  };
  for (PredictionInput::Record record; input.next(record);) {
    records.push_back(std::move(record));
    if (records.size() == batch) flush();
  }
  flush();
}

void predict(PredictFlags flags) {
  check_model_for("predict", flags.model);
  if (flags.json) flags.output.format = OutputFormat::kJsonl;
  if (flags.explain && flags.output.format == OutputFormat::kCsv) {
    throw std::invalid_argument(
        "--explain adds lines to the answers, which csv cannot hold; use "
        "--output-format jsonl");
  }
  const auto classifier = Classifier::load(flags.model, flags.options);
  PredictionInput input(flags.input, flags.format, classifier.content().data_config, flags.set);
  const auto run = [&](std::ostream& out) {
    if (flags.explain) {
      explain(flags, classifier, input, out);
    } else {
      classify(flags, classifier, input, out);
    }
  };
  if (flags.output_file.empty()) {
    run(std::cout);
  } else {
    base::write_file_atomically(flags.output_file, run);
  }
  for (const auto& notice : input.notices()) log_line(notice);
}

void add_input_options(CLI::App& command, PredictFlags& flags) {
  command.add_option("input", flags.input, "Input file; - is the standard input")
      ->capture_default_str();
  auto formats = classification::reader_names();
  formats.insert(formats.begin(), {"auto", "lines"});
  command
      .add_option("--format", flags.format,
                  "Input format. auto: csv, tsv or jsonl by the name of the file, read as the "
                  "training data was, else lines; lines: one text per line; the others as "
                  "data.format in a recipe")
      ->check(CLI::IsMember(formats))
      ->capture_default_str();
  command
      .add_option("--set", flags.set,
                  "Override how the input is read: data.text_columns=[\"body\"]")
      ->type_name("KEY=VALUE");
}

void add_output_options(CLI::App& command, PredictFlags& flags) {
  auto& output = flags.output;
  command
      .add_option_function<std::string>(
          "--output-format",
          [&output](const std::string& word) {
            output.format = base::parse_word<OutputFormat>(word, "--output-format");
          },
          "tsv: label, probability and text, with tabs and line ends as \\t and \\n; csv: the same "
          "with a heading; jsonl: with all probabilities. Of a model with several labels per text: "
          "labels and probabilities, joined by data.label_separator or ;")
      ->check(CLI::IsMember(base::words<OutputFormat>()))
      ->default_str("tsv");
  command.add_flag("--json", flags.json, "The same as --output-format jsonl");
  command.add_flag("--keep", output.keep, "Write the columns of the input, then the answers");
  command
      .add_option("--top-k", output.top,
                  "Number of classes per text, the best first (default 1); of several labels, the "
                  "best ones instead of those above their thresholds")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000'000}));
  command
      .add_option("--threshold", output.threshold,
                  "Abstain where the best class has a lower probability; of several labels, the "
                  "threshold of all of them")
      ->check(CLI::Range(0.0, 1.0));
  command
      .add_option("--abstain", output.abstain,
                  "Label of a text below the threshold; null in jsonl, of several labels []")
      ->capture_default_str();
  command.add_option("--output", flags.output_file,
                     "Write to this file, which appears when all is written");
  command.add_flag("--explain", flags.explain, "Add the weights that the model gave the tokens");
}

}  // namespace

void add_predict_command(CLI::App& app) {
  const auto flags = std::make_shared<PredictFlags>();
  auto* command = app.add_subcommand("predict", "Classify texts, one prediction per text");
  command->add_option("model", flags->model, "Model directory")->required();
  add_input_options(*command, *flags);
  add_output_options(*command, *flags);
  add_compute_options(*command, flags->options);
  command->callback([flags] { predict(*flags); });
}

}  // namespace fastformer::cli

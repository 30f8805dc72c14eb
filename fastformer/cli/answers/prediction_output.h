#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fastformer/base/config_field.h"
#include "fastformer/classification/classifier.h"
#include "fastformer/cli/answers/prediction_input.h"

namespace fastformer::cli {

enum class OutputFormat : std::uint8_t { kTsv, kCsv, kJsonl };

struct OutputOptions {
  OutputFormat format = OutputFormat::kTsv;
  bool keep = false;                ///< the columns of the input stand before the answers
  std::optional<std::size_t> top;   ///< answers of a record; by default the best class
  std::optional<double> threshold;  ///< a less probable answer is `abstain`
  std::string abstain = "none";
};

/// Writes one record of csv or tsv.
void write_cells(std::ostream& out, OutputFormat format, const std::vector<std::string>& cells);

/// The name of a column for the answer of a rank from 0: "label", "label_2", "label_3".
std::string ranked(const std::string& name, std::size_t rank);

/// The columns of a record as an object.
nlohmann::ordered_json json_of(const std::vector<classification::Field>& fields);

/// Writes the answers of `predict`, one line (of CSV: one record) each:
///   tsv    label, probability, text, with tabs and line ends as \t and \n; no heading unless the
///          columns of the input are kept
///   csv    the same with a heading
///   jsonl  row, label, probability and the probabilities of all classes, or the best of them
/// Of a model whose documents have several labels, the columns are labels and probabilities, with
/// DataConfig::joined() lists of the labels above their thresholds; in jsonl `labels` is a list.
class PredictionOutput {
 public:
  using Answers = std::vector<std::pair<std::string, double>>;

  PredictionOutput(std::ostream& out, const OutputOptions& options, const Classifier& classifier)
      : out_(out), options_(options), classifier_(classifier) {}

  /// `explanation` is JSON, empty for none.
  void write(const PredictionInput::Record& record, const Prediction& prediction,
             const std::string& explanation = {});

  /// The predicted labels of a model whose texts have several, with their probabilities; empty for
  /// other models.
  Answers label_set(const Prediction& prediction) const;

 private:
  Answers answers(const Prediction& prediction) const;
  void add_label_set(const Prediction& prediction, std::vector<std::string>& cells) const;
  void write_heading(const PredictionInput::Record& record);
  std::vector<std::string> kept_cells(const std::vector<classification::Field>& fields) const;
  void check_names(const std::vector<classification::Field>& fields) const;
  void write_json(const PredictionInput::Record& record, const Prediction& prediction,
                  const std::string& explanation);
  std::size_t top() const { return options_.top.value_or(1); }

  std::ostream& out_;
  const OutputOptions& options_;
  const Classifier& classifier_;
  std::int64_t row_ = 0;
  std::vector<std::string> kept_;  ///< names of the columns of the first record, with --keep
};

}  // namespace fastformer::cli

namespace fastformer::base {
template <>
inline constexpr std::array kWords<cli::OutputFormat> = {"tsv", "csv", "jsonl"};
}  // namespace fastformer::base

#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "fastformer/classification/data_config.h"
#include "fastformer/classification/readers/reader.h"
#include "fastformer/data/line_stream.h"

namespace fastformer::cli {

/// The format that the name of a file stands for, whatever it is compressed with: csv, tsv or
/// jsonl; empty for other names.
std::string format_of_name(const std::filesystem::path& file);

/// The arguments of a command that reads texts.
struct InputOptions {
  std::string input = "-";         ///< file or folder; -: the standard input
  std::string format = "auto";     ///< "auto": by the name of the input, else "lines"
  std::vector<std::string> set{};  ///< override how the training data were read
};

/// Adds the input and its options to a command. `options` must outlive parsing.
void add_input_options(CLI::App& command, InputOptions& options);

/// What `predict` and `embed` read, record by record: the lines of a text, or the rows of a data
/// set.
class PredictionInput {
 public:
  /// Throws std::invalid_argument where no column of text is known.
  PredictionInput(const InputOptions& options, const classification::DataConfig& trained_on);

  struct Record {
    std::string text;
    std::vector<classification::Field> fields;  ///< the columns of the input
  };
  bool next(Record& record);
  /// Calls `use` with all records, in batches, and their texts.
  void for_each_batch(const std::function<void(const std::vector<Record>& records,
                                               const std::vector<std::string>& texts)>& use);
  std::vector<std::string> notices() const;

 private:
  std::unique_ptr<data::LineStream> lines_;
  std::unique_ptr<classification::Reader> reader_;
  bool has_labels_ = false;  ///< lines as fastText has them
  std::size_t batch_;
};

}  // namespace fastformer::cli

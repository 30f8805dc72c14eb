#pragma once

#include <filesystem>
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

/// What `predict` reads, record by record: the lines of a text, or the rows of a data set.
class PredictionInput {
 public:
  /// `format` may be "auto": by the name of the input, else "lines". `assignments` override how the
  /// training data were read. Throws std::invalid_argument where no column of text is known.
  PredictionInput(const std::string& input, std::string format,
                  const classification::DataConfig& trained_on,
                  const std::vector<std::string>& assignments);

  struct Record {
    std::string text;
    std::vector<classification::Field> fields;  ///< the columns of the input
  };
  bool next(Record& record);
  std::vector<std::string> notices() const;

 private:
  std::unique_ptr<data::LineStream> lines_;
  std::unique_ptr<classification::Reader> reader_;
};

}  // namespace fastformer::cli

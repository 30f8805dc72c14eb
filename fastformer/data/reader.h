#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "fastformer/data/data_config.h"
#include "fastformer/data/example.h"

namespace fastformer::data {

/// Reads the examples of one file (or folder) one after another.
///
///   const auto reader = open_reader(config, "train.csv");
///   for (Example example; reader->next(example);) use(example);
class Reader {
 public:
  virtual ~Reader() = default;

  /// Puts the next row into `example`; false at the end. Throws std::invalid_argument that names
  /// file and line for a row that cannot be read.
  virtual bool next(Example& example) = 0;
};

/// The reader that config.format names (see reader_registry.cc). It trims the white space around
/// labels. Throws std::invalid_argument with one sentence for an unknown format, for a file that
/// cannot be read and, at the first next(), for one that holds no rows.
std::unique_ptr<Reader> open_reader(const DataConfig& config, const std::filesystem::path& file);

}  // namespace fastformer::data

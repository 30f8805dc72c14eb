#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "fastformer/classification/data_config.h"
#include "fastformer/classification/readers/reader.h"
#include "fastformer/data/splits.h"

namespace fastformer::classification {

/// A function that calls its argument with each example of a source, in order; can be called again.
using ExampleSource = std::function<void(const std::function<void(Example&)>&)>;

/// The examples of a data set. Parts of `train` become validation or test part by the fractions.
struct ExampleSources {
  std::string name;  ///< name of the training source, for messages
  ExampleSource train, validation, test;
  /// The notices of the readers so far; null: none.
  std::shared_ptr<std::vector<std::string>> notices = nullptr;
};

/// The sources that the configuration names.
ExampleSources file_sources(const DataConfig& config);

/// The result of the first pass over the sources.
struct DatasetScan {
  std::vector<std::string> labels;                          ///< of the kept classes, sorted
  std::unordered_map<std::string, std::int32_t> label_ids;  ///< -1: a dropped class
  std::vector<data::Part> parts;                            ///< of each row of the training source
  std::int64_t dropped_rows = 0;
  std::int64_t dropped_classes = 0;
  std::vector<std::string> notices;  ///< from the readers and about the labels

  /// The class of an example's label. Throws std::runtime_error for a label that the scan did not
  /// see, which means that the files have changed.
  std::int32_t label_id(const Example& example) const;
  /// Calls `visit` with each example of the training source and its part. Throws std::runtime_error
  /// if the rows are not those of the scan.
  void for_each_training_row(const ExampleSources& sources,
                             const std::function<void(Example&, data::Part)>& visit) const;
};

/// Reads all sources to collect labels and groups. The labels of `known`, those of a model that
/// training starts from, come first, even if no row has them. Throws as prepare() does.
DatasetScan scan(const ExampleSources& sources, const DataConfig& config,
                 const std::vector<std::string>& known = {});

/// Throws std::invalid_argument if the label is empty or contains control characters.
void check_label(const Example& example);

/// The first twenty labels as text: "'a', 'b', 'c'".
std::string list_labels(const std::vector<std::string>& labels);

/// Writes the parts of a data set as train.tsv, validation.tsv and test.tsv ("label<TAB>text",
/// without quotes, white space replaced by single spaces), so that another program can be compared
/// on the same split. They are the parts that prepare() makes, and the format "tsv" can read them.
/// Throws as prepare() does, and std::runtime_error if a file cannot be written.
void export_parts(const DataConfig& config, const std::filesystem::path& folder);

}  // namespace fastformer::classification

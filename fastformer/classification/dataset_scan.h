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

/// Calls its argument with each example of a source, in order; may be called several times.
using ExampleSource = std::function<void(const std::function<void(Example&)>&)>;

/// The sources of a data set's examples: `train` is split by the fractions.
struct ExampleSources {
  std::string name;  ///< of the training source, for messages
  ExampleSource train, validation, test;
  /// What the readers have to say so far; null: nothing.
  std::shared_ptr<std::vector<std::string>> notices = nullptr;
};

/// Those of the configuration's files.
ExampleSources file_sources(const DataConfig& config);

/// The result of the first reading of the sources.
struct DatasetScan {
  std::vector<std::string> labels;                          ///< the kept ones, sorted
  std::unordered_map<std::string, std::int32_t> label_ids;  ///< -1: a class that is dropped
  std::vector<data::Part> parts;                            ///< of each row of the training source
  std::int64_t dropped_rows = 0;
  std::int64_t dropped_classes = 0;
  std::vector<std::string> notices;  ///< of the readers, and about the labels

  /// The class of a label. Throws std::runtime_error for a label that was not in the scan, since
  /// the files have changed.
  std::int32_t label_id(const Example& example) const;
  /// Calls `visit` with each example of the training source and its part. Throws std::runtime_error
  /// if there are other rows than in the scan.
  void for_each_training_row(const ExampleSources& sources,
                             const std::function<void(Example&, data::Part)>& visit) const;
};

/// Reads all sources for their labels and groups. The labels of `known`, those of a model that
/// training starts from, come first, also if no row has them. Throws as prepare() does.
DatasetScan scan(const ExampleSources& sources, const DataConfig& config,
                 const std::vector<std::string>& known = {});

/// Throws std::invalid_argument when the example has no label, or one with control characters.
void check_label(const Example& example);

/// "'a', 'b', 'c'", the first twenty.
std::string list_labels(const std::vector<std::string>& labels);

/// Writes the parts of a data set as train.tsv, validation.tsv and test.tsv ("label<TAB>text",
/// white space as single blanks, without quotes), so that another program can be compared on the
/// same split. They are the parts that prepare() makes; the format "tsv" reads them again. Throws
/// as prepare() does, and std::runtime_error when the disk refuses.
void export_parts(const DataConfig& config, const std::filesystem::path& folder);

}  // namespace fastformer::classification

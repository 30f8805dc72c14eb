#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
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
  bool several_labels = false;                              ///< DataConfig::several_labels()
  std::vector<std::string> labels;                          ///< the kept ones, sorted
  std::unordered_map<std::string, std::int32_t> label_ids;  ///< -1: one that is dropped
  std::vector<data::Part> parts;                            ///< of each row of the training source
  std::int64_t dropped_rows = 0;
  std::int64_t dropped_classes = 0;
  std::vector<std::string> notices;  ///< of the readers, and about the labels

  /// The kept labels of an example as positions in `labels`, ascending; none if the row is dropped
  /// with its class. Throws std::runtime_error for a label that was not in the scan, since the
  /// files have changed.
  std::optional<std::vector<std::int32_t>> ids_of(const Example& example) const;
  /// Calls `visit` with each example of the training source and its part. Throws std::runtime_error
  /// if there are other rows than in the scan.
  void for_each_training_row(const ExampleSources& sources,
                             const std::function<void(Example&, data::Part)>& visit) const;
};

/// Reads all sources for their labels and groups. Throws as prepare() does.
DatasetScan scan(const ExampleSources& sources, const DataConfig& config);

/// Throws std::invalid_argument for a label with control characters, and when an example that must
/// have a class has none.
void check_labels(const Example& example, bool several);

/// By value when all are numbers ("2" before "10"), else by bytes.
void sort_labels(std::vector<std::string>& labels);

/// "'a', 'b', 'c'", the first twenty.
std::string list_labels(const std::vector<std::string>& labels);

/// Writes the parts of a data set as train.tsv, validation.tsv and test.tsv ("label<TAB>text",
/// white space as single blanks, without quotes, several labels as DataConfig::joined()), so that
/// another program can be compared on the same split. They are the parts that prepare() makes; the
/// format "tsv" reads them again. Throws as prepare() does, and std::runtime_error when the disk
/// refuses.
void export_parts(const DataConfig& config, const std::filesystem::path& folder);

}  // namespace fastformer::classification

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

/// A function that calls its argument with each example of a source, in order; can be called again.
using ExampleSource = std::function<void(const std::function<void(Example&)>&)>;

/// The examples of a data set. Parts of `train` become validation or test part by the fractions.
struct ExampleSources {
  std::string name;  ///< name of the training source, for messages
  ExampleSource train, validation, test;
  /// The notices of the readers so far; null: none.
  std::shared_ptr<std::vector<std::string>> notices = nullptr;
  ExampleSource unlabelled;
};

/// The sources that the configuration names.
ExampleSources file_sources(const DataConfig& config);

/// The result of the first pass over the sources.
struct DatasetScan {
  bool several_labels = false;                              ///< DataConfig::several_labels()
  std::vector<std::string> labels;                          ///< the kept ones, sorted
  std::unordered_map<std::string, std::int32_t> label_ids;  ///< -1: a dropped one
  std::vector<data::Part> parts;                            ///< of each row of the training source
  std::int64_t dropped_rows = 0;
  std::int64_t dropped_classes = 0;
  std::vector<std::string> notices;  ///< from the readers and about the labels

  /// The kept labels of an example as indices into `labels`, ascending; nullopt if the row is
  /// dropped with its class. Throws std::runtime_error for a label that the scan did not see, which
  /// means that the files have changed.
  std::optional<std::vector<std::int32_t>> ids_of(const Example& example) const;
  /// Calls `visit` with each example of the training source and its part. Throws std::runtime_error
  /// if the rows are not those of the scan.
  void for_each_training_row(const ExampleSources& sources,
                             const std::function<void(Example&, data::Part)>& visit) const;
};

/// Labels, numbered in the order they appear.
struct LabelCounts {
  std::vector<std::string> labels;
  std::vector<std::int64_t> counts;
  std::unordered_map<std::string, std::int32_t> ids;

  /// Counts the label, and returns its number.
  std::int32_t add(const std::string& label);
};

/// Reads all sources to collect labels and groups. The labels of `known`, those of a model that
/// training starts from, come first, even if no row has them. Throws as prepare() does.
DatasetScan scan(const ExampleSources& sources, const DataConfig& config,
                 const std::vector<std::string>& known = {});

/// Throws std::invalid_argument for a label with control characters, and if an example that must
/// have a class has none.
void check_labels(const Example& example, bool several);

/// By value if all are numbers ("2" before "10"), else by bytes.
void sort_labels(std::vector<std::string>& labels);

/// The first twenty labels as text: "'a', 'b', 'c'".
std::string list_labels(const std::vector<std::string>& labels);

/// Writes the parts of a data set as train.tsv, validation.tsv and test.tsv ("label<TAB>text",
/// without quotes, white space replaced by single spaces, several labels as DataConfig::joined()),
/// so that another program can be compared on the same split. They are the parts that prepare()
/// makes, and the format "tsv" can read them. Throws as prepare() does, and std::runtime_error if a
/// file cannot be written.
void export_parts(const DataConfig& config, const std::filesystem::path& folder);

}  // namespace fastformer::classification

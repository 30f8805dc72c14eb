#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "fastformer/data/data_config.h"
#include "fastformer/data/example.h"
#include "fastformer/data/splits.h"

namespace fastformer::data {

/// What the first reading of the sources finds out.
struct DatasetScan {
  std::vector<std::string> labels;                          ///< the kept ones, sorted
  std::unordered_map<std::string, std::int32_t> label_ids;  ///< -1: a class that is left out
  std::vector<Part> parts;                                  ///< of each row of the training files
  std::int64_t dropped_rows = 0;
  std::int64_t dropped_classes = 0;
};

/// Reads all sources for their labels and groups. Throws as prepare() does.
DatasetScan scan_sources(const DataConfig& config);

/// By value when all are numbers ("2" before "10"), else by bytes.
void sort_labels(std::vector<std::string>& labels);

/// Calls `visit` with each example of the files, in order.
void for_each_example(const DataConfig& config, const std::vector<std::string>& files,
                      const std::function<void(Example&)>& visit);

/// Throws std::invalid_argument when the example has no label.
void check_label(const Example& example);

/// "'a', 'b', 'c'", the first twenty.
std::string list_labels(const std::vector<std::string>& labels);

}  // namespace fastformer::data

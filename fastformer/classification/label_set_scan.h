#pragma once

#include "fastformer/classification/dataset_scan.h"

namespace fastformer::classification {

/// scan() for documents with any number of labels. The labels are those with
/// data.minimum_class_count documents in the training part; others are dropped, their documents
/// stay.
DatasetScan scan_label_sets(const ExampleSources& sources, const DataConfig& config,
                            const std::vector<std::string>& known = {});

}  // namespace fastformer::classification

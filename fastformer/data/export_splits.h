#pragma once

#include <filesystem>

#include "fastformer/data/data_config.h"

namespace fastformer::data {

/// Writes the parts of a data set as train.tsv, validation.tsv and test.tsv ("label<TAB>text",
/// white space as single blanks, a text that begins with a quote in quotes), so that another
/// program can be compared on the same split. They are the parts that prepare() makes; the format
/// "tsv" reads them again.
///
///   data::export_splits(config, "local/parts");
///
/// Throws std::invalid_argument as prepare() does, std::runtime_error when the disk refuses.
void export_splits(const DataConfig& config, const std::filesystem::path& folder);

}  // namespace fastformer::data

#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "fastformer/recommendation/item_table.h"
#include "fastformer/recommendation/readers/reader.h"
#include "fastformer/text/tokenizer.h"

namespace fastformer::recommendation {

/// A recommendation data set ready for training.
struct Dataset {
  std::unique_ptr<text::Tokenizer> tokenizer;
  ItemTable items;
  TitleTokens titles;  ///< of each item of the table
  LogParts parts;
  std::vector<std::string> notices;  ///< as ClickSource has them

  /// A readable table: items, users, impressions and clicks of each part, and problems of the
  /// files.
  std::string summary() const;
};

/// Reads the sources and tokenizes each title once. The vocabulary is learned from the items beside
/// the training impressions and in data.news: from all of them if the last part of a source becomes
/// the test part, because a catalogue is known before the clicks.
///
///   const Dataset dataset = prepare(config, text_config);
///   std::puts(dataset.summary().c_str());
///
/// Throws std::invalid_argument as read_clicks() does, for a validation part without known clicks,
/// and for a validation or test part whose clicks cannot be measured.
/// `start` is the directory of a model whose vocabulary the new one extends; empty: none.
Dataset prepare(const DataConfig& config, const text::TokenizerConfig& text_config,
                const std::filesystem::path& start = {});
/// The same for clicks that were read already, or are in memory (see clicks_of()).
Dataset prepare(ClickSource source, const DataConfig& config,
                const text::TokenizerConfig& text_config, const std::filesystem::path& start = {});
/// The same for a model that has its tokenizer; a part without files is empty.
Dataset prepare(const DataConfig& config, std::unique_ptr<text::Tokenizer> tokenizer);

}  // namespace fastformer::recommendation

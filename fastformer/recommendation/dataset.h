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
  TitleTokens titles;  ///< of all items of the table
  LogParts parts;
  std::vector<std::string> notices;  ///< see ClickSource

  /// A text table: items, users, impressions and clicks of each part, and problems in the
  /// files.
  std::string summary() const;
};

/// Reads the sources and tokenizes each title once. The vocabulary is learned from the items of the
/// training part and those in data.news. If the test part is split off a source, it is learned from
/// all items, because a catalogue is known before the clicks.
///
///   const Dataset dataset = prepare(config, text_config);
///   std::puts(dataset.summary().c_str());
///
/// Throws std::invalid_argument as read_clicks() does, for a validation part without known clicks,
/// and for a validation or test part without a measurable impression.
/// `start` is the directory of a model whose vocabulary the new one extends; empty: none.
Dataset prepare(const DataConfig& config, const text::TokenizerConfig& text_config,
                const std::filesystem::path& start = {});
/// The same for clicks that have already been read, or are in memory (see clicks_of()).
Dataset prepare(ClickSource source, const DataConfig& config,
                const text::TokenizerConfig& text_config, const std::filesystem::path& start = {});
/// The same for a model with an existing tokenizer; a part without files is empty.
Dataset prepare(const DataConfig& config, std::unique_ptr<text::Tokenizer> tokenizer);

}  // namespace fastformer::recommendation

#pragma once

#include <cstdint>
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

  /// A table for people: items, users, impressions and clicks of each part, and what was wrong.
  std::string summary() const;
};

/// Reads the sources and tokenizes the titles, each once. The vocabulary is learned from the items
/// that lie beside the training impressions or in data.news: all of them for a source whose last
/// part becomes the test, as a catalogue is known before anyone clicks.
///
///   const Dataset dataset = prepare(config, text_config);
///   std::puts(dataset.summary().c_str());
///
/// Throws std::invalid_argument as read_clicks() does, and for a validation part whose
/// clicks are not known, and for a validation or test part whose known clicks measure nothing.
Dataset prepare(const DataConfig& config, const text::TokenizerConfig& text_config);
/// The same for clicks that were read already, or are in memory (see clicks_of()).
Dataset prepare(ClickSource source, const DataConfig& config,
                const text::TokenizerConfig& text_config);
/// The same for a model that has its tokenizer; a part without files is empty.
Dataset prepare(const DataConfig& config, std::unique_ptr<text::Tokenizer> tokenizer);

}  // namespace fastformer::recommendation

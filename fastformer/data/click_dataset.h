#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "fastformer/data/click_source.h"
#include "fastformer/data/title_tokens.h"
#include "fastformer/text/tokenizer.h"
#include "fastformer/text/tokenizer_config.h"

namespace fastformer::data {

/// A recommendation data set ready for training.
struct ClickDataset {
  std::unique_ptr<text::Tokenizer> tokenizer;
  NewsTable news;
  TitleTokens titles;  ///< of each news of the table
  LogParts parts;
  std::vector<std::string> notices;  ///< as ClickSource has them

  /// A table for people: news, users, impressions and clicks of each part, and what was wrong.
  std::string summary() const;
};

/// Reads the sources and tokenizes the titles, each once. The vocabulary is learned from the news
/// that lie beside the training impressions or in data.news: of a source whose last part becomes
/// the test these are all of its news, as a catalogue is known before anyone clicks.
///
///   const ClickDataset dataset = prepare_clicks(config, text_config);
///   std::puts(dataset.summary().c_str());
///
/// Throws std::invalid_argument as read_clicks() does, and for a validation part whose
/// clicks are not known, and for a validation or test part whose known clicks measure nothing.
ClickDataset prepare_clicks(const ClickDataConfig& config,
                            const text::TokenizerConfig& text_config);

/// The same for a model that has its tokenizer; a part without files is empty.
ClickDataset prepare_clicks(const ClickDataConfig& config,
                            std::unique_ptr<text::Tokenizer> tokenizer);

}  // namespace fastformer::data

#pragma once

#include <cstdint>
#include <memory>
#include <string>

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

  /// A table for people: news, users, impressions and clicks of each part, and what was wrong.
  std::string summary() const;
};

/// Reads the sources and tokenizes the titles, each once. The vocabulary is learned from the news
/// of the training part alone.
///
///   const ClickDataset dataset = prepare_clicks(config, text_config);
///   std::puts(dataset.summary().c_str());
///
/// Throws std::invalid_argument as read_clicks() does, and for a validation or test part whose
/// clicks are known but measure nothing.
ClickDataset prepare_clicks(const ClickDataConfig& config,
                            const text::TokenizerConfig& text_config);

/// The same for a model that has its tokenizer; a part without files is empty.
ClickDataset prepare_clicks(const ClickDataConfig& config,
                            std::unique_ptr<text::Tokenizer> tokenizer);

}  // namespace fastformer::data

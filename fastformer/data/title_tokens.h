#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "fastformer/data/news_table.h"
#include "fastformer/text/tokenizer.h"

namespace fastformer::data {

/// The titles of a news table as token ids, one after another: title n owns
/// ids[offsets[n] .. offsets[n + 1]).
struct TitleTokens {
  std::vector<std::int32_t> ids;            ///< [T]
  std::vector<std::int64_t> offsets = {0};  ///< [N + 1]
  std::int64_t cut = 0;                     ///< titles that lost their tail
  std::int64_t empty = 0;  ///< news of the table without a token of their own; not number 0

  std::int64_t size() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
  std::span<const std::int32_t> title(std::int64_t news) const {
    const auto first = static_cast<std::size_t>(offsets[static_cast<std::size_t>(news)]);
    const auto last = static_cast<std::size_t>(offsets[static_cast<std::size_t>(news) + 1]);
    return std::span(ids).subspan(first, last - first);
  }
};

/// Encodes each title once, to `limit` tokens at most.
TitleTokens tokenize_titles(const NewsTable& news, const text::Tokenizer& tokenizer,
                            std::int64_t limit);

}  // namespace fastformer::data

#include "fastformer/data/title_tokens.h"

namespace fastformer::data {

TitleTokens tokenize_titles(const NewsTable& news, const text::Tokenizer& tokenizer,
                            std::int64_t limit) {
  TitleTokens tokens;
  tokens.offsets.reserve(static_cast<std::size_t>(news.size()) + 1);
  for (std::int32_t n = 0; n < news.size(); ++n) {
    const auto before = tokens.ids.size();
    // One token more than is kept tells whether the title was longer.
    tokenizer.encode(news.title(n), tokens.ids, static_cast<std::size_t>(limit) + 1);
    const auto longest = before + static_cast<std::size_t>(limit);
    if (tokens.ids.size() > longest) {
      tokens.ids.resize(longest);
      ++tokens.cut;
    }
    if (tokens.ids.size() == before && n != NewsTable::kUnknown) ++tokens.empty;
    tokens.offsets.push_back(static_cast<std::int64_t>(tokens.ids.size()));
  }
  return tokens;
}

}  // namespace fastformer::data

#include "fastformer/data/title_tokens.h"

namespace fastformer::data {

TitleTokens tokenize_titles(const NewsTable& news, const text::Tokenizer& tokenizer,
                            std::int64_t limit) {
  TitleTokens tokens;
  tokens.offsets.reserve(static_cast<std::size_t>(news.size()) + 1);
  std::vector<std::int32_t> none;  // what the tokenizer puts around a text
  tokenizer.encode("", none, static_cast<std::size_t>(limit));
  for (std::int32_t n = 0; n < news.size(); ++n) {
    const auto before = tokens.ids.size();
    const auto most = static_cast<std::size_t>(limit);
    // One token more than is kept tells whether the title was longer. An unknown news has none,
    // not even what a tokenizer puts around a text.
    if (n != NewsTable::kUnknown) tokenizer.encode(news.title(n), tokens.ids, most + 1);
    if (tokens.ids.size() > before + most) {
      // Again, so that a token that ends every text ends this one.
      tokens.ids.resize(before);
      tokenizer.encode(news.title(n), tokens.ids, most);
      ++tokens.cut;
    }
    if (tokens.ids.size() <= before + none.size() && n != NewsTable::kUnknown) ++tokens.empty;
    tokens.offsets.push_back(static_cast<std::int64_t>(tokens.ids.size()));
  }
  return tokens;
}

}  // namespace fastformer::data

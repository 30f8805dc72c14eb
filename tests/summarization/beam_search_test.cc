#include "fastformer/summarization/abstractive/beam_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <stdexcept>

#include "summarization/table_model.h"

namespace fastformer::summarization {
namespace {

using Tokens = std::vector<std::int32_t>;

SearchConfig beam_config(std::int64_t beams, std::int64_t max_tokens, double penalty) {
  SearchConfig config;
  config.beams = beams;
  config.max_tokens = max_tokens;
  config.length_penalty = penalty;
  config.blocked_ngram = 0;
  return config;
}

// Every text of a document by its definition, best first.
void enumerate(const at::Tensor& table, const SearchConfig& config, Tokens& text, double sum,
               std::vector<WrittenText>& found) {
  const auto length = static_cast<std::int64_t>(text.size());  // with the next token
  const auto previous = text.empty() ? kBegin : text.back();
  for (std::int32_t token = 1; token < table.size(2); ++token) {  // never the beginning
    if (token == kEnd && length < config.min_tokens) continue;
    const double total = sum + table[length][previous][token].item<double>();
    const double score = total / std::pow(static_cast<double>(length + 1), config.length_penalty);
    if (token == kEnd) {
      found.push_back({text, total, score, true});
      continue;
    }
    text.push_back(token);
    if (length + 1 == config.max_tokens) {
      found.push_back({text, total, score, false});
    } else {
      enumerate(table, config, text, total, found);
    }
    text.pop_back();
  }
}

TEST(BeamSearch, FindsTheBestOfAllTextsWhenItIsWideEnough) {
  at::manual_seed(1);
  for (const double penalty : {-0.5, 0.0, 0.7, 1.0, 2.0}) {
    for (const std::int64_t min_tokens : {0, 2}) {
      const auto table = random_table(3, 5, 1.5);
      auto config = beam_config(400, 4, penalty);
      config.min_tokens = min_tokens;
      TableModel model(table);
      const auto texts = beam_search(model, {kBegin, kEnd, {kBegin}}, config);
      ASSERT_EQ(texts.size(), 3U);
      for (std::int64_t b = 0; b < 3; ++b) {
        std::vector<WrittenText> all;
        Tokens text;
        enumerate(table[b], config, text, 0, all);
        std::sort(all.begin(), all.end(),
                  [](const auto& x, const auto& y) { return x.score > y.score; });
        ASSERT_EQ(texts[b].size(), std::min<std::size_t>(all.size(), 400));
        for (std::size_t i = 0; i < texts[b].size(); ++i) {
          EXPECT_EQ(texts[b][i].tokens, all[i].tokens) << penalty << " " << i;
          EXPECT_NEAR(texts[b][i].score, all[i].score, 1e-12);
          EXPECT_NEAR(texts[b][i].log_probability, all[i].log_probability, 1e-12);
          EXPECT_EQ(texts[b][i].ended, all[i].ended);
        }
      }
    }
  }
}

// Whether a document leaves early must not change what is found for it or for others.
TEST(BeamSearch, GivesADocumentWhatItGetsAlone) {
  at::manual_seed(2);
  const auto table = random_table(6, 12, 2);
  const auto config = beam_config(3, 15, 0);
  TableModel together(table);
  const auto texts = beam_search(together, {kBegin, kEnd, {}}, config);
  EXPECT_LT(together.sizes().back(), 6U * 3U);
  for (std::int64_t b = 0; b < 6; ++b) {
    TableModel alone(table.narrow(0, b, 1));
    const auto expected = beam_search(alone, {kBegin, kEnd, {}}, config)[0];
    ASSERT_EQ(texts[b].size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(texts[b][i].tokens, expected[i].tokens);
      EXPECT_EQ(texts[b][i].score, expected[i].score);
    }
  }
}

bool repeats(const Tokens& text, std::size_t n) {
  std::set<Tokens> seen;
  for (std::size_t i = 0; i + n <= text.size(); ++i) {
    if (!seen.insert(Tokens(text.begin() + i, text.begin() + i + n)).second) return true;
  }
  return false;
}

TEST(BeamSearch, BlocksRepeatedNgrams) {
  at::manual_seed(3);
  auto table = random_table(4, 6, 3);
  table.select(3, kEnd).fill_(-30);  // texts run to the greatest length
  for (const std::int64_t n : {0, 1, 2, 3}) {
    auto config = beam_config(4, n == 1 ? 4 : 12, 1);
    config.blocked_ngram = n;
    TableModel model(table);
    bool any = false;
    for (const auto& texts : beam_search(model, {kBegin, kEnd, {kBegin}}, config)) {
      for (const auto& text : texts) {
        any = any || repeats(text.tokens, std::max<std::size_t>(n, 2));
      }
    }
    EXPECT_EQ(any, n == 0) << n;
  }
}

// Token 5 continues the word before it; texts run to the greatest length.
TEST(BeamSearch, BlocksRepeatedNgramsOfWords) {
  at::manual_seed(3);
  auto table = random_table(4, 6, 3);
  table.select(3, kEnd).fill_(-30);
  auto config = beam_config(4, 12, 1);
  config.blocked_ngram = 1;
  SearchTokens tokens{kBegin, kEnd, {kBegin}};
  tokens.continues = std::vector<bool>(6);
  tokens.continues[5] = true;
  TableModel model(table);
  bool longer = false, same_token = false;
  for (const auto& texts : beam_search(model, tokens, config)) {
    for (const auto& text : texts) {
      std::set<Tokens> words;
      Tokens word;
      const auto end_word = [&] {
        EXPECT_TRUE(word.empty() || words.insert(word).second);
        longer = longer || word.size() > 1;
        word.clear();
      };
      for (const auto token : text.tokens) {
        if (token != 5) end_word();
        word.push_back(token);
      }
      end_word();
      same_token = same_token || repeats(text.tokens, 1);
    }
  }
  EXPECT_TRUE(longer);
  EXPECT_TRUE(same_token);  // in other words
}

TEST(BeamSearch, AListedTokenMayRepeat) {
  at::manual_seed(4);
  auto config = beam_config(2, 20, 1);
  config.blocked_ngram = 1;
  config.min_tokens = 10;
  SearchTokens tokens{kBegin, kEnd, {}};
  tokens.repeatable = {{3}};
  TableModel model(random_table(2, 5));
  for (const auto& texts : beam_search(model, tokens, config)) {
    ASSERT_FALSE(texts.empty());
    const auto& text = texts[0].tokens;
    EXPECT_GT(std::count(text.begin(), text.end(), 3), 1);
    for (const auto other : {2, 4}) EXPECT_LE(std::count(text.begin(), text.end(), other), 1);
  }
}

TEST(BeamSearch, GivesUpWhereNoTokenIsLeft) {
  at::manual_seed(4);
  auto config = beam_config(2, 20, 1);
  config.blocked_ngram = 1;  // after the three others no token is new
  config.min_tokens = 10;
  TableModel model(random_table(2, 5));
  for (const auto& texts : beam_search(model, {kBegin, kEnd, {}}, config)) {
    ASSERT_FALSE(texts.empty());
    EXPECT_EQ(texts[0].tokens.size(), 3U);
    EXPECT_FALSE(texts[0].ended);
  }
}

TEST(BeamSearch, OfNoDocumentsIsEmpty) {
  TableModel model(at::zeros({0, 1, 4, 4}));
  EXPECT_TRUE(beam_search(model, {kBegin, kEnd, {}}, beam_config(5, 10, 1)).empty());
}

TEST(BeamSearch, RefusesLengthsThatExcludeEachOther) {
  TableModel model(random_table(1, 4));
  auto config = beam_config(5, 10, 1);
  config.min_tokens = 10;
  EXPECT_THROW(beam_search(model, {kBegin, kEnd, {}}, config), std::invalid_argument);
}

}  // namespace
}  // namespace fastformer::summarization

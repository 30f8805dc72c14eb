#include "fastformer/tasks/beam_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <stdexcept>

#include "fastformer/tasks/token_sampling.h"
#include "tasks/table_model.h"

namespace fastformer::tasks {
namespace {

constexpr std::int32_t kBegin = 0, kEnd = 1;
using Tokens = std::vector<std::int32_t>;

constexpr std::int64_t kSteps = 8;

at::Tensor random_table(std::int64_t documents, std::int64_t vocabulary, double sharpness = 1) {
  const auto logits = at::randn({documents, kSteps, vocabulary, vocabulary}, at::kDouble);
  return at::log_softmax(logits * sharpness, 3);
}

SearchConfig config_of(std::int64_t beams, std::int64_t max_tokens, double penalty) {
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
      auto config = config_of(400, 4, penalty);
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
  const auto config = config_of(3, 15, 0);
  TableModel together(table);
  const auto texts = beam_search(together, {kBegin, kEnd, {}}, config);
  EXPECT_LT(together.sizes().back(), 6U * 3U);
  EXPECT_LT(together.sizes().size(), 15U);
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
    auto config = config_of(4, n == 1 ? 4 : 12, 1);
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

TEST(BeamSearch, GivesUpWhereNoTokenIsLeft) {
  at::manual_seed(4);
  auto config = config_of(2, 20, 1);
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
  EXPECT_TRUE(beam_search(model, {kBegin, kEnd, {}}, config_of(5, 10, 1)).empty());
}

TEST(BeamSearch, RefusesLengthsThatExcludeEachOther) {
  TableModel model(random_table(1, 4));
  auto config = config_of(5, 10, 1);
  config.min_tokens = 10;
  EXPECT_THROW(beam_search(model, {kBegin, kEnd, {}}, config), std::invalid_argument);
}

TEST(Greedy, TakesTheLikeliestTokenAndStreamsIt) {
  at::manual_seed(5);
  const auto table = random_table(5, 9, 2);
  const auto config = config_of(1, 8, 1);
  TableModel model(table);
  std::vector<Tokens> streamed(5);
  const auto texts = write_greedily(
      model, {kBegin, kEnd, {}}, config,
      [&](std::int64_t document, std::int32_t token) { streamed[document].push_back(token); });
  for (std::int64_t b = 0; b < 5; ++b) {
    Tokens expected;
    double sum = 0;
    bool ended = false;
    for (auto last = kBegin; !ended && expected.size() < 8;) {
      const auto row = table[b][static_cast<std::int64_t>(expected.size())][last];
      last = static_cast<std::int32_t>(row.argmax().item<std::int64_t>());
      sum += row[last].item<double>();
      ended = last == kEnd;
      if (!ended) expected.push_back(last);
    }
    EXPECT_EQ(texts[b].tokens, expected);
    EXPECT_EQ(streamed[b], expected);
    EXPECT_EQ(texts[b].ended, ended);
    EXPECT_NEAR(texts[b].log_probability, sum, 1e-12);
  }
}

// Ten thousand texts of one token.
std::vector<double> frequencies(double temperature, double top_p) {
  constexpr std::int64_t kDraws = 10'000;
  const auto p = at::tensor({0.0, 0.0, 0.5, 0.3, 0.15, 0.05}, at::kDouble);
  TableModel model(p.log().expand({kDraws, 1, 6, 6}));
  auto config = config_of(1, 1, 1);
  config.temperature = temperature;
  config.top_p = top_p;
  std::vector<double> counts(6);
  for (const auto& text : sample_texts(model, {kBegin, kEnd, {}}, config)) {
    counts[text.tokens.at(0)] += 1.0 / kDraws;
  }
  return counts;
}

TEST(Sampling, DrawsFromTheNucleus) {
  const auto all = frequencies(1, 1), most = frequencies(1, 0.75), sharp = frequencies(0.5, 1);
  const std::vector<double> p = {0, 0, 0.5, 0.3, 0.15, 0.05};
  double squares = 0;
  for (const double value : p) squares += value * value;
  for (int token = 0; token < 6; ++token) {
    EXPECT_NEAR(all[token], p[token], 0.02);
    EXPECT_NEAR(most[token], token == 2 || token == 3 ? p[token] / 0.8 : 0, 0.02);
    EXPECT_NEAR(sharp[token], p[token] * p[token] / squares, 0.02);
  }
  EXPECT_EQ(most[4] + most[5], 0);
}

TEST(Sampling, DependsOnTheSeedAlone) {
  at::manual_seed(6);
  const auto table = random_table(4, 20);
  auto config = config_of(1, 12, 1);
  const auto texts = [&](std::int64_t documents) {
    TableModel model(table.narrow(0, 0, documents));
    std::vector<Tokens> result;
    for (auto& text : sample_texts(model, {kBegin, kEnd, {}}, config)) {
      result.push_back(std::move(text.tokens));
    }
    return result;
  };
  const auto first = texts(4);
  EXPECT_EQ(texts(4), first);
  EXPECT_EQ(texts(2), std::vector<Tokens>(first.begin(), first.begin() + 2));
  config.seed = 2;
  EXPECT_NE(texts(4), first);
}

}  // namespace
}  // namespace fastformer::tasks

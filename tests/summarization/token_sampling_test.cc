#include "fastformer/summarization/abstractive/token_sampling.h"

#include <gtest/gtest.h>

#include "summarization/table_model.h"

namespace fastformer::summarization {
namespace {

using Tokens = std::vector<std::int32_t>;

SearchConfig sampling_config(std::int64_t max_tokens) {
  SearchConfig config;
  config.max_tokens = max_tokens;
  config.blocked_ngram = 0;
  return config;
}

TEST(Greedy, TakesTheLikeliestTokenAndStreamsIt) {
  at::manual_seed(5);
  const auto table = random_table(5, 9, 2);
  const auto config = sampling_config(8);
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
  auto config = sampling_config(1);
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
  auto config = sampling_config(12);
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
  // Documents that come later draw as they would in one batch with those before them.
  TableModel last(table.narrow(0, 2, 2));
  const auto later =
      sample_texts(last, {kBegin, kEnd, {}}, config, std::vector<std::int64_t>{2, 3});
  EXPECT_EQ(later[0].tokens, first[2]);
  EXPECT_EQ(later[1].tokens, first[3]);
  config.seed = 2;
  EXPECT_NE(texts(4), first);
}

}  // namespace
}  // namespace fastformer::summarization

#include <gtest/gtest.h>

#include <map>
#include <stdexcept>

#include "fastformer/summarization/abstractive/summarizer_model.h"
#include "fastformer/summarization/abstractive/summary_writer.h"

namespace fastformer::summarization {
namespace {

constexpr std::int64_t kVocabulary = 40;
const TextVocabulary kTokens{kVocabulary, 1, 2};

ModelConfig config_of(bool tied, bool copy) {
  ModelConfig config;
  config.source.encoder.width = 32;
  config.source.encoder.heads = 4;
  config.source.encoder.layers = 1;
  config.source.initial_deviation = 0.2;
  config.source.embedding_deviation = 1;
  config.decoder.layers = 2;
  config.decoder.ffn_width = 48;
  config.decoder.tied = tied;
  config.decoder.copy = copy;
  return config;
}

const PairBatch kPairs{.source = {.ids = {5, 6, 7, 5, 30, 8, 9}, .offsets = {0, 4, 4, 7}},
                       .target = {.ids = {6, 20, 5}, .offsets = {0, 2, 2, 3}}};

using Rows = std::map<std::string, std::vector<std::int64_t>>;

Rows rows_of(const std::vector<std::pair<std::string, at::Tensor>>& touched) {
  Rows rows;
  for (const auto& [name, indices] : touched) {
    const auto* first = indices.const_data_ptr<std::int64_t>();
    rows[name] = {first, first + indices.numel()};
  }
  return rows;
}

TEST(Summarizer, TouchesTheRowsThatItSays) {
  for (const bool tied : {false, true}) {
    const SummarizerModel model(config_of(tied, true), kTokens, 1);
    model.loss(kPairs, 0.1, true).backward();
    const auto sparse = model.row_sparse_parameters();
    Rows gradients;
    for (const auto& [name, parameter] : model.parameters()) {
      EXPECT_EQ(parameter.grad().is_sparse(), sparse.contains(name)) << name;
      if (!parameter.grad().is_sparse()) continue;
      const auto indices = parameter.grad().coalesce().indices()[0].contiguous();
      gradients.merge(rows_of({{name, indices}}));
    }
    EXPECT_EQ(rows_of(model.touched_rows(kPairs)), gradients);
  }
}

TEST(Summarizer, WritesEachDocumentAsItWouldAlone) {
  const SummarizerModel model(config_of(true, true), kTokens, 3);
  SearchConfig search;
  search.max_tokens = 12;
  for (const auto method : {SearchMethod::kBeam, SearchMethod::kGreedy, SearchMethod::kSample}) {
    search.method = method;
    const auto together = write_summaries(
        model, kPairs.source.ids, nn::Offsets(kPairs.source.offsets), search, {.banned = {0}});
    ASSERT_EQ(together.size(), 3U);
    for (std::int64_t b = 0; b < 3; ++b) {
      for (const auto token : together[b].at(0).tokens) {
        EXPECT_TRUE(token != 0 && token != kTokens.begin && token != kTokens.end);
      }
      if (method == SearchMethod::kSample && b > 0)
        continue;  // draws depend on the place in the batch
      const auto first = kPairs.source.ids.begin() + kPairs.source.offsets[b];
      const std::vector<std::int32_t> ids(first,
                                          kPairs.source.ids.begin() + kPairs.source.offsets[b + 1]);
      const std::vector<std::int64_t> offsets = {0, static_cast<std::int64_t>(ids.size())};
      const auto alone = write_summaries(model, ids, nn::Offsets(offsets), search, {.banned = {0}});
      EXPECT_EQ(alone[0][0].tokens, together[b][0].tokens) << base::word_of(method) << " " << b;
      EXPECT_NEAR(alone[0][0].score, together[b][0].score, 1e-4);
    }
  }
}

// A model that may only copy: the gate is shut, so no other token has any probability.
TEST(Summarizer, CopiesFromItsDocument) {
  const SummarizerModel model(config_of(true, true), kTokens, 4);
  const c10::NoGradGuard no_gradients;
  model.parameters().at("copy.gate.bias").fill_(-200);
  auto state = model.begin(kPairs.source.ids, nn::Offsets(kPairs.source.offsets));
  const auto p = model.step(std::vector<std::int32_t>(3, kTokens.begin), state).exp();
  const auto copied = p[2];
  EXPECT_NEAR((copied[30] + copied[8] + copied[9]).item<double>(), 1, 1e-5);
  EXPECT_NEAR(p[1].sum().item<double>(), 1, 1e-5);  // nothing to copy: generated all the same
  EXPECT_NEAR(p[0].sum().item<double>(), 1, 1e-5);
}

TEST(Summarizer, TakesNoMoreTokensThanItHasPositions) {
  auto config = config_of(true, false);
  config.decoder.max_positions = 4;
  const SummarizerModel model(config, kTokens, 5);
  SearchConfig search;
  search.beams = 2;
  search.max_tokens = 50;
  const auto written = write_summaries(model, kPairs.source.ids, nn::Offsets(kPairs.source.offsets),
                                       search, {.banned = {2}});
  EXPECT_EQ(written[0].at(0).tokens.size(), 4U);
  EXPECT_EQ(config.summary_limit(0), 3);
  auto longer = kPairs;
  longer.target = {.ids = {3, 3, 3, 3, 3}, .offsets = {0, 4, 4, 5}};
  EXPECT_THROW(model.loss(longer, 0, false), std::invalid_argument);
  EXPECT_NO_THROW(model.loss(kPairs, 0, false));
}

TEST(Summarizer, RefusesWhatDoesNotFit) {
  auto batch = kPairs;
  batch.target.offsets.pop_back();
  const SummarizerModel model(config_of(true, true), kTokens, 1);
  EXPECT_THROW(model.loss(batch, 0, false), std::invalid_argument);
  batch = kPairs;
  batch.target.ids.pop_back();
  EXPECT_THROW(model.loss(batch, 0, false), std::invalid_argument);
  EXPECT_THROW(SummarizerModel(config_of(true, true), {kVocabulary, 1, 40}, 1),
               std::invalid_argument);
}

TEST(Summarizer, ReadsItsSectionOverAPreset) {
  base::ConfigTree tree;
  for (const char* assignment :
       {"model.preset=paper", "model.heads=4", "model.decoder.copy=false"}) {
    tree.set(assignment);
  }
  const auto config = ModelConfig::read(tree);
  EXPECT_EQ(config.source.encoder.normalization, model::Normalization::kNone);
  EXPECT_EQ(config.decoder_config().heads, 4);
  EXPECT_EQ(config.decoder_config().normalization, model::Normalization::kPost);
  EXPECT_FALSE(config.decoder.copy);
  EXPECT_TRUE(config.decoder.tied);
  tree.set("model.token_dropout=0.1");
  EXPECT_THROW(ModelConfig::read(tree), std::invalid_argument);
}

// Learns to repeat the second token of documents that were not among those it has seen.
TEST(Summarizer, LearnsToCopyAToken) {
  constexpr std::int64_t kDocuments = 32;
  auto config = config_of(true, true);
  config.decoder.layers = 1;
  config.source.embedding_dropout = config.source.encoder.dropout = config.decoder.dropout = 0;
  const SummarizerModel model(config, kTokens, 6);
  at::manual_seed(7);
  const auto loss = [&] {
    const auto drawn = at::randint(3, kVocabulary, {kDocuments * 3}, at::kInt);
    const auto* ids = drawn.const_data_ptr<std::int32_t>();
    PairBatch batch;
    for (std::int64_t b = 0; b < kDocuments; ++b) {
      batch.source.add(std::span(ids + 3 * b, 3));
      batch.target.add(std::span(ids + 3 * b + 1, 1));
    }
    return model.loss(batch, 0, /*training=*/true);
  };
  const auto first = loss().item<double>();
  for (int step = 0; step < 150; ++step) {
    loss().backward();
    const c10::NoGradGuard no_gradients;
    for (const auto& [name, parameter] : model.parameters()) {
      if (!parameter.grad().defined()) continue;
      const auto gradient = parameter.grad().to_dense();
      parameter.sub_(0.02 * gradient / (gradient.square().mean().sqrt() + 1e-4));
      parameter.mutable_grad() = at::Tensor();
    }
  }
  EXPECT_LT(loss().item<double>(), 0.3 * first);
}

}  // namespace
}  // namespace fastformer::summarization

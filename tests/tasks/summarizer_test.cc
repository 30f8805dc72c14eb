#include "fastformer/tasks/summarizer.h"

#include <gtest/gtest.h>

#include <map>
#include <stdexcept>

#include "fastformer/tasks/summary_writer.h"

namespace fastformer::tasks {
namespace {

constexpr std::int64_t kVocabulary = 40;
const TextVocabulary kTokens{kVocabulary, 1, 2};

SummarizerConfig config_of(bool tied, bool copy) {
  SummarizerConfig config;
  config.source.encoder.width = 32;
  config.source.encoder.heads = 4;
  config.source.encoder.layers = 1;
  config.source.initial_deviation = 0.2;
  config.source.embedding_deviation = 1;
  config.decoder_layers = 2;
  config.decoder_ffn_width = 48;
  config.tied = tied;
  config.copy = copy;
  return config;
}

struct Texts {
  SummaryBatch view() const { return {ids, offsets, target_ids, target_offsets}; }
  std::vector<std::int32_t> ids = {5, 6, 7, 5, 30, 8, 9};
  std::vector<std::int64_t> offsets = {0, 4, 4, 7};
  std::vector<std::int32_t> target_ids = {6, 20, 5};
  std::vector<std::int64_t> target_offsets = {0, 2, 2, 3};
};

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
  const Texts texts;
  for (const bool tied : {false, true}) {
    const Summarizer model(config_of(tied, true), kTokens, 1);
    model.loss(texts.view(), 0.1, true).backward();
    const auto sparse = model.row_sparse_parameters();
    Rows gradients;
    for (const auto& [name, parameter] : model.parameters()) {
      EXPECT_EQ(parameter.grad().is_sparse(), sparse.contains(name)) << name;
      if (!parameter.grad().is_sparse()) continue;
      const auto indices = parameter.grad().coalesce().indices()[0].contiguous();
      gradients.merge(rows_of({{name, indices}}));
    }
    EXPECT_EQ(rows_of(model.touched_rows(texts.view())), gradients);
  }
}

TEST(Summarizer, WritesEachDocumentAsItWouldAlone) {
  const Summarizer model(config_of(true, true), kTokens, 3);
  const Texts texts;
  SearchConfig search;
  search.max_tokens = 12;
  for (const char* method : {"beam", "greedy", "sample"}) {
    search.method = method;
    const auto together =
        summarize(model, texts.ids, nn::Offsets(texts.offsets), search, {.banned = {0}});
    ASSERT_EQ(together.size(), 3U);
    for (std::int64_t b = 0; b < 3; ++b) {
      for (const auto token : together[b].at(0).tokens) {
        EXPECT_TRUE(token != 0 && token != kTokens.begin && token != kTokens.end);
      }
      if (search.method == "sample" && b > 0) continue;  // draws depend on the place in the batch
      const auto first = texts.ids.begin() + texts.offsets[b];
      const std::vector<std::int32_t> ids(first, texts.ids.begin() + texts.offsets[b + 1]);
      const std::vector<std::int64_t> offsets = {0, static_cast<std::int64_t>(ids.size())};
      const auto alone = summarize(model, ids, nn::Offsets(offsets), search, {.banned = {0}});
      EXPECT_EQ(alone[0][0].tokens, together[b][0].tokens) << method << " " << b;
      EXPECT_NEAR(alone[0][0].score, together[b][0].score, 1e-4);
    }
  }
}

// A model that may only copy: the gate is shut, so no other token has any probability.
TEST(Summarizer, CopiesFromItsDocument) {
  const Summarizer model(config_of(true, true), kTokens, 4);
  const c10::NoGradGuard no_gradients;
  model.parameters().at("copy.gate.bias").fill_(-200);
  const Texts texts;
  auto state = model.begin(texts.ids, nn::Offsets(texts.offsets));
  const auto p = model.step(std::vector<std::int32_t>(3, kTokens.begin), state).exp();
  const auto copied = p[2];
  EXPECT_NEAR((copied[30] + copied[8] + copied[9]).item<double>(), 1, 1e-5);
  EXPECT_NEAR(p[1].sum().item<double>(), 1, 1e-5);  // nothing to copy: generated all the same
  EXPECT_NEAR(p[0].sum().item<double>(), 1, 1e-5);
}

TEST(Summarizer, TakesNoMoreTokensThanItHasPositions) {
  auto config = config_of(true, false);
  config.target_positions = 4;
  const Summarizer model(config, kTokens, 5);
  const Texts texts;
  SearchConfig search;
  search.beams = 2;
  search.max_tokens = 50;
  const auto written =
      summarize(model, texts.ids, nn::Offsets(texts.offsets), search, {.banned = {2}});
  EXPECT_EQ(written[0].at(0).tokens.size(), 4U);
  EXPECT_EQ(config.summary_limit(0), 3);
  Texts longer;
  longer.target_ids = {3, 3, 3, 3, 3};
  longer.target_offsets = {0, 4, 4, 5};
  EXPECT_THROW(model.loss(longer.view(), 0, false), std::invalid_argument);
  EXPECT_NO_THROW(model.loss(texts.view(), 0, false));
}

TEST(Summarizer, RefusesWhatDoesNotFit) {
  const Texts texts;
  auto batch = texts.view();
  batch.target_offsets = batch.target_offsets.subspan(0, 3);
  const Summarizer model(config_of(true, true), kTokens, 1);
  EXPECT_THROW(model.loss(batch, 0, false), std::invalid_argument);
  batch = texts.view();
  batch.target_ids = batch.target_ids.subspan(0, 2);
  EXPECT_THROW(model.loss(batch, 0, false), std::invalid_argument);
  EXPECT_THROW(Summarizer(config_of(true, true), {kVocabulary, 1, 40}, 1), std::invalid_argument);
  auto config = config_of(true, true);
  config.source.token_dropout = 0.1;
  EXPECT_THROW(config.validate(), std::invalid_argument);
}

TEST(Summarizer, ReadsItsSectionOverAPreset) {
  base::ConfigTree tree;
  for (const char* assignment : {"model.preset=paper", "model.heads=4", "model.copy=false"}) {
    tree.set(assignment);
  }
  const auto config = read_summarizer_config(tree);
  EXPECT_EQ(config.source.encoder.normalization, "none");
  EXPECT_EQ(config.decoder().heads, 4);
  EXPECT_EQ(config.decoder().normalization, "post");
  EXPECT_FALSE(config.copy);
  EXPECT_TRUE(config.tied);
  tree.set("model.token_dropout=0.1");
  EXPECT_THROW(read_summarizer_config(tree), std::invalid_argument);
}

// Learns to repeat the second token of documents that were not among those it has seen.
TEST(Summarizer, LearnsToCopyAToken) {
  constexpr std::int64_t kDocuments = 32;
  auto config = config_of(true, true);
  config.decoder_layers = 1;
  config.source.embedding_dropout = config.source.encoder.dropout = config.decoder_dropout = 0;
  const Summarizer model(config, kTokens, 6);
  at::manual_seed(7);
  Texts texts;
  const auto loss = [&] {
    const auto drawn = at::randint(3, kVocabulary, {kDocuments * 3}, at::kInt);
    const auto* ids = drawn.const_data_ptr<std::int32_t>();
    texts = {{ids, ids + kDocuments * 3}, {0}, {}, {0}};
    for (std::int64_t b = 0; b < kDocuments; ++b) {
      texts.target_ids.push_back(ids[3 * b + 1]);
      texts.offsets.push_back(3 * (b + 1));
      texts.target_offsets.push_back(b + 1);
    }
    return model.loss(texts.view(), 0, /*training=*/true);
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
}  // namespace fastformer::tasks

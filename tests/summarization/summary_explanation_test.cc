#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "fastformer/summarization/abstractive/summary_writer.h"
#include "nn/decoder/decoder_definition.h"

namespace fastformer::summarization {
namespace {

using Tokens = std::vector<std::int32_t>;

constexpr std::int64_t kExplainedVocabulary = 40, kWidth = 32, kHeads = 4;
const TextVocabulary kExplainedTokens{kExplainedVocabulary, 1, 2};
const Tokens kDocument = {5, 6, 7, 5, 30, 8, 9, 5}, kSummary = {30, 8, 17, 5, 30};

ModelConfig explained_config(bool copy,
                             model::Normalization normalization = model::Normalization::kPost) {
  ModelConfig config;
  config.source.encoder.width = kWidth;
  config.source.encoder.heads = kHeads;
  config.source.encoder.layers = 1;
  config.source.initial_deviation = 0.3;
  config.source.embedding_deviation = 1;
  config.decoder.layers = 2;
  config.decoder.ffn_width = 48;
  config.decoder.normalization = normalization;
  config.decoder.max_positions = 6;
  config.decoder.copy = copy;
  return config;
}

/// Weights [T, S] and probabilities of generating [T] by dense attention; what the decoder reads
/// comes from layers that have tests of their own.
SummaryTrace dense_trace(const SummarizerModel& model) {
  const auto& config = model.config();
  const auto& p = model.parameters();
  nn::ParameterStore store(1, at::kDouble);
  const nn::Embedding embedding(config.source.embedding(kExplainedVocabulary), store, "embedding");
  const nn::Embedding target(config.target_embedding(kExplainedVocabulary), store,
                             "target_embedding", "embedding");
  const nn::Encoder encoder(config.source.encoder, store, "encoder");
  nn::ParameterMap values;
  for (const auto& [name, parameter] : store.parameters()) values[name] = p.at(name);
  nn::assign(store.parameters(), values, "the model");

  Tokens inputs = kSummary;
  inputs.insert(inputs.begin(), kExplainedTokens.begin);
  inputs.pop_back();
  const auto rows = nn::offsets_of({std::ssize(kDocument)});
  const auto target_rows = nn::offsets_of({std::ssize(inputs)});
  const auto memory =
      encoder.forward(embedding.forward(kDocument, nn::Offsets(rows), false), nn::Offsets(rows),
                      /*training=*/false, nullptr);
  const auto x = target.forward(inputs, nn::Offsets(target_rows), false);
  SummaryTrace trace;
  const auto y = nn::decoder_definition(p, "decoder", kHeads, config.decoder.normalization, x,
                                        memory, &trace.weights);
  trace.weights = trace.weights.mean(0);
  if (!config.decoder.copy) return trace;
  const auto before = at::cat({at::zeros_like(memory.slice(0, 0, 1)), memory.slice(0, 0, -1)});
  const auto key =
      nn::apply_linear(p, "copy.key", memory) + at::mm(before, p.at("copy.previous.weight").t());
  const auto logits = at::mm(nn::apply_linear(p, "copy.query", y), key.t());
  trace.weights = at::softmax(logits / std::sqrt(static_cast<double>(key.size(1))), 1);
  const auto context = at::matmul(trace.weights, memory);
  trace.gates = at::sigmoid(nn::apply_linear(p, "copy.gate", at::cat({context, y, x}, 1)));
  return trace;
}

TEST(SummaryExplanation, EqualsDenseAttention) {
  const c10::NoGradGuard no_gradients;
  for (const bool copy : {false, true}) {
    for (const auto normalization : {model::Normalization::kPre, model::Normalization::kPost}) {
      const SummarizerModel model(explained_config(copy, normalization), kExplainedTokens, 3,
                                  at::kDouble);
      const auto expected = dense_trace(model);
      const auto written = explain_summary(model, kDocument, kSummary, kDocument.size());
      ASSERT_EQ(written.size(), kSummary.size());
      for (std::size_t t = 0; t < written.size(); ++t) {
        const auto row = static_cast<std::int64_t>(t);
        EXPECT_EQ(written[t].token, kSummary[t]);
        ASSERT_EQ(written[t].sources.size(), kDocument.size());
        double sum = 0;
        for (const auto& [position, weight] : written[t].sources) {
          EXPECT_NEAR(weight, expected.weights[row][position].item<double>(), 1e-12) << copy;
          sum += weight;
        }
        EXPECT_NEAR(sum, 1, 1e-12);
        ASSERT_EQ(written[t].copied.has_value(), copy);
        if (copy) {
          EXPECT_NEAR(*written[t].copied, 1 - expected.gates[row].item<double>(), 1e-12);
        }
      }
    }
  }
}

TEST(SummaryExplanation, NamesTheHeaviestPositionsFirst) {
  const SummarizerModel model(explained_config(true), kExplainedTokens, 4);
  const auto all = explain_summary(model, kDocument, kSummary, 100);
  const auto some = explain_summary(model, kDocument, kSummary);
  for (std::size_t t = 0; t < kSummary.size(); ++t) {
    ASSERT_EQ(some[t].sources.size(), 3U);
    ASSERT_EQ(all[t].sources.size(), kDocument.size());
    for (std::size_t i = 0; i < kDocument.size(); ++i) {
      if (i > 0) {
        EXPECT_LE(all[t].sources[i].weight, all[t].sources[i - 1].weight);
      }
      if (i < 3) {
        EXPECT_EQ(some[t].sources[i].position, all[t].sources[i].position);
      }
    }
  }
}

// With the gate shut, a token's probability is the weight of the places where it stands.
TEST(SummaryExplanation, GivesTheWeightsByWhichTheModelCopies) {
  const c10::NoGradGuard no_gradients;
  const SummarizerModel model(explained_config(true), kExplainedTokens, 5, at::kDouble);
  model.parameters().at("copy.gate.bias").fill_(-200);
  const auto written = explain_summary(model, kDocument, kSummary, kDocument.size());
  const auto offsets = nn::offsets_of({std::ssize(kDocument)});
  auto state = model.begin(kDocument, nn::Offsets(offsets));
  Tokens last = {kExplainedTokens.begin};
  for (const auto& token : written) {
    const auto p = model.step(last, state)[0].exp();
    std::vector<double> mass(kExplainedVocabulary);
    for (const auto& [position, weight] : token.sources) mass[kDocument[position]] += weight;
    for (const auto id : kDocument) EXPECT_NEAR(p[id].item<double>(), mass[id], 1e-10);
    EXPECT_NEAR(*token.copied, 1, 1e-12);
    last = {token.token};
  }
}

TEST(SummaryExplanation, TakesWhatIsEmptyAndRefusesWhatIsTooLong) {
  for (const bool copy : {false, true}) {
    const SummarizerModel model(explained_config(copy), kExplainedTokens, 6);
    EXPECT_TRUE(explain_summary(model, kDocument, Tokens{}).empty());
    const auto written = explain_summary(model, Tokens{}, kSummary);
    ASSERT_EQ(written.size(), kSummary.size());
    EXPECT_TRUE(written[0].sources.empty());
    if (copy) {
      EXPECT_EQ(written[0].copied, 0.0) << "there is nothing to copy";
    }
    EXPECT_EQ(explain_summary(model, kDocument, Tokens(6, 5)).size(), 6U);
    EXPECT_THROW(explain_summary(model, kDocument, Tokens(7, 5)), std::invalid_argument);
    EXPECT_THROW(model.trace(kDocument, Tokens{}), std::invalid_argument);
  }
}

}  // namespace
}  // namespace fastformer::summarization

#include "fastformer/model/bert_config.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/temporary_folder.h"

namespace fastformer::model {
namespace {

using kernels::Activation;
using nlohmann::json;

json small_config() {
  return {{"model_type", "bert"},   {"vocab_size", 30},           {"hidden_size", 12},
          {"num_hidden_layers", 2}, {"num_attention_heads", 3},   {"intermediate_size", 20},
          {"hidden_act", "gelu"},   {"layer_norm_eps", 1e-5},     {"max_position_embeddings", 9},
          {"type_vocab_size", 1},   {"hidden_dropout_prob", 0.2}, {"some_other_field", {1, 2}}};
}

json with(const char* key, const json& value) {
  auto result = small_config();
  result[key] = value;
  return result;
}

BertConfig parse(const json& content) { return BertConfig::from_json(content.dump(), "config"); }

std::string fault(const json& content) {
  return testing::error_of([&] { parse(content); });
}

TEST(BertConfig, ReadsTheShape) {
  const testing::TemporaryFolder folder;
  const auto config = BertConfig::load(folder.write("config.json", small_config().dump()));
  EXPECT_EQ(config.vocabulary_size, 30);
  EXPECT_EQ(config.width, 12);
  EXPECT_EQ(config.layers, 2);
  EXPECT_EQ(config.heads, 3);
  EXPECT_EQ(config.ffn_width, 20);
  EXPECT_EQ(config.max_positions, 9);
  EXPECT_EQ(config.token_types, 1);
  EXPECT_EQ(config.activation, Activation::kGelu);
  EXPECT_EQ(config.epsilon, 1e-5);
  EXPECT_EQ(config.dropout, 0.2);
  EXPECT_EQ(config.attention_dropout, 0.1);
}

TEST(BertConfig, TakesWhatComputesTheSame) {
  EXPECT_EQ(parse(with("hidden_act", "gelu_new")).activation, Activation::kGeluTanh);
  EXPECT_EQ(parse(with("hidden_act", "relu")).activation, Activation::kRelu);
  EXPECT_EQ(parse(with("model_type", "unilm")).width, 12);
  EXPECT_EQ(parse(with("model_type", nullptr)).width, 12);
  EXPECT_EQ(parse(with("position_embedding_type", "absolute")).width, 12);
  EXPECT_EQ(parse(with("is_decoder", false)).width, 12);
}

TEST(BertConfig, ReadsTheNamesOfDistilBert) {
  const json content = {{"model_type", "distilbert"},
                        {"vocab_size", 30},
                        {"dim", 12},
                        {"n_layers", 2},
                        {"n_heads", 3},
                        {"hidden_dim", 20},
                        {"activation", "relu"},
                        {"max_position_embeddings", 9},
                        {"dropout", 0.2},
                        {"attention_dropout", 0.3}};
  const auto config = parse(content);
  EXPECT_EQ(config.width, 12);
  EXPECT_EQ(config.layers, 2);
  EXPECT_EQ(config.heads, 3);
  EXPECT_EQ(config.ffn_width, 20);
  EXPECT_EQ(config.token_types, 0);
  EXPECT_EQ(config.activation, Activation::kRelu);
  EXPECT_EQ(config.epsilon, 1e-12);
  EXPECT_EQ(config.dropout, 0.2);
  EXPECT_EQ(config.attention_dropout, 0.3);
  auto wrong = content;
  wrong["n_heads"] = 5;
  EXPECT_MENTIONS(fault(wrong), "dim 12", "5 n_heads");
  wrong.erase("n_heads");
  EXPECT_MENTIONS(fault(wrong), "n_heads");
}

TEST(BertConfig, RefusesWhatItCannotCompute) {
  EXPECT_MENTIONS(fault(with("model_type", "roberta")), "config", "'roberta'", "'bert'");
  EXPECT_MENTIONS(fault(with("model_type", 3)), "model_type", "text");
  EXPECT_MENTIONS(fault(with("position_embedding_type", "relative_key")), "absolute");
  EXPECT_MENTIONS(fault(with("rel_pos_bins", 32)), "relative");
  EXPECT_MENTIONS(fault(with("is_decoder", true)), "is_decoder");
  EXPECT_MENTIONS(fault(with("hidden_act", "silu")), "hidden_act", "silu");
}

TEST(BertConfig, RefusesValuesThatNoModelHas) {
  EXPECT_MENTIONS(fault(with("hidden_size", 13)), "13", "num_attention_heads");
  EXPECT_MENTIONS(fault(with("hidden_size", 0)), "hidden_size", "from 1");
  EXPECT_MENTIONS(fault(with("hidden_size", 1e3)), "hidden_size", "whole");
  EXPECT_MENTIONS(fault(with("vocab_size", "many")), "vocab_size", "many");
  EXPECT_MENTIONS(fault(with("vocab_size", 18446744073709551615U)), "vocab_size");
  EXPECT_MENTIONS(fault(with("layer_norm_eps", -1)), "layer_norm_eps");
  EXPECT_MENTIONS(fault(with("hidden_dropout_prob", 1)), "hidden_dropout_prob", "below 1");
  auto shapeless = small_config();
  shapeless.erase("num_hidden_layers");
  EXPECT_MENTIONS(fault(shapeless), "config", "num_hidden_layers");
  EXPECT_MENTIONS(fault(json::array()), "object");
  const testing::TemporaryFolder folder;
  EXPECT_MENTIONS(testing::error_of([&] { BertConfig::load(folder / "config.json"); }),
                  "config.json");
  const auto cut = folder.write("cut.json", small_config().dump().substr(0, 40));
  EXPECT_MENTIONS(testing::error_of([&] { BertConfig::load(cut); }), "cut.json", "JSON");
}

}  // namespace
}  // namespace fastformer::model

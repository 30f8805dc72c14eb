#pragma once

#include <cstdint>
#include <string>

#include "fastformer/base/config_tree.h"
#include "fastformer/nn/bert_config.h"
#include "fastformer/nn/embedding.h"
#include "fastformer/nn/encoder_config.h"
#include "fastformer/text/tokenizer_config.h"

namespace fastformer::tasks {

/// The recipe's [model] section for recommendation. The fields of the encoder of titles have the
/// names of nn::EncoderConfig, those of the encoder of users the same after "user_".
struct RecommenderConfig {
  std::string model = "fastformer";
  nn::EncoderConfig encoder;
  nn::EncoderConfig user_encoder;  ///< its width is that of `encoder`
  std::int64_t query_width = 200;
  std::int64_t negatives = 4;
  std::int64_t max_positions = 0;
  bool embedding_normalization = false;
  double embedding_dropout = 0.2;
  double embedding_deviation = 0.1;
  double initial_deviation = 0.06;
  std::int64_t matched_words = 20;
  std::int64_t matched_news = 50;
  std::int64_t filters = 150;
  std::string pretrained;
  std::int64_t trainable_layers = 2;
  double pretrained_factor = 0.03;
  nn::BertConfig bert;  ///< of `pretrained`; no field of the section

  void visit_fields(base::FieldVisitor& visit) {
    visit("model", model,
          "what matches users and news; the encoders' defaults below are fastformer's, nrms and "
          "plm_nr begin with bare multi-head attention",
          base::one_of({"fastformer", "fim", "nrms", "plm_nr", "fastformer_plm_nr"}));
    encoder.visit_fields(visit);
    nn::EncoderConfig::visit_fields(
        user_encoder, [&](const char* name, auto& field, const char* help, auto&&... rest) {
          const std::string own = name;
          if (own != "width") visit(("user_" + own).c_str(), field, help, rest...);
        });
    visit("query_width", query_width, "inner width of the additive poolings",
          base::between(1, 65536));
    visit("negatives", negatives, "news that were not clicked, to each click in training",
          base::between(1, 1000));
    visit("max_positions", max_positions, "learned positions of a title's words; 0: none",
          base::between(0, 1 << 20));
    visit("embedding_normalization", embedding_normalization,
          "layer normalisation of the word embeddings");
    visit("embedding_dropout", embedding_dropout,
          "share of the embeddings' numbers set to zero while training", base::between(0, 0.99));
    visit("embedding_deviation", embedding_deviation,
          "standard deviation of the initial embeddings", base::between(0, 10));
    visit("initial_deviation", initial_deviation,
          "standard deviation of the initial linear weights", base::between(0, 10));
    visit("matched_words", matched_words, "fim: words of a title that are matched",
          base::between(1, 1000));
    visit("matched_news", matched_news, "fim: last clicks of a user that are matched",
          base::between(1, 1000));
    visit("filters", filters, "fim: numbers a word on the levels above its embedding",
          base::between(1, 65536));
    visit("pretrained", pretrained,
          "plm_nr, fastformer_plm_nr: folder of a BERT model, with config.json, model.safetensors "
          "and vocab.txt");
    visit("trainable_layers", trainable_layers,
          "last layers of it that go on learning; 0: none, -1: all and the embeddings",
          base::between(-1, 1000));
    visit("pretrained_factor", pretrained_factor, "its learning rate over that of the rest",
          base::between(0, 1000));
  }
  /// Throws std::invalid_argument with one sentence.
  void validate() const;

  /// The encoder of users with the width of the news.
  nn::EncoderConfig user() const;
  nn::EmbeddingOptions embedding(std::int64_t vocabulary_size) const;
  /// Whether titles are read by a pre-trained encoder.
  bool has_pretrained() const { return model == "plm_nr" || model == "fastformer_plm_nr"; }
  /// Numbers in the row of a word.
  std::int64_t word_width() const { return has_pretrained() ? bert.width : encoder.width; }
  /// data.title_tokens, lowered to what the model looks at.
  std::int64_t title_limit(std::int64_t title_tokens) const;
};

/// What a model's name stands for.
///   fastformer  one layer of the published code without normalisation, which its authors advise
///               for recommendation, in both encoders (arXiv 2108.09084)
///   nrms        bare multi-head attention in both (Wu et al., EMNLP 2019)
///   fim         its own (see tasks/fine_matcher.h)
///   plm_nr      a pre-trained encoder of titles, nrms' encoder of users (Wu et al., SIGIR 2021,
///               which tunes the last two layers); of the encoder of titles only `width` counts
///   fastformer_plm_nr  the same with fastformer's encoder of users
RecommenderConfig recommender_preset(const std::string& model);

/// The preset of the section's `model`, overridden by what else the section holds.
/// The shape of a pre-trained encoder is that of the section [pretrained], which a saved model has,
/// or that of the folder. Throws std::invalid_argument as ConfigTree::read_section and
/// BertConfig::load do.
RecommenderConfig read_recommender_config(const base::ConfigTree& tree);

/// Throws std::invalid_argument with one sentence unless the section [text] cuts titles as the
/// pre-trained encoder of the model expects them. Models without one take any.
void check_pretrained_text(const RecommenderConfig& config, const text::TokenizerConfig& text);

}  // namespace fastformer::tasks

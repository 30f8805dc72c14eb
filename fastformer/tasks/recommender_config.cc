#include "fastformer/tasks/recommender_config.h"

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "fastformer/base/atomic_file.h"
#include "fastformer/tasks/pretrained_shape.h"
#include "fastformer/text/bert_tokenizer.h"

namespace fastformer::tasks {
namespace {

bool same_text(const text::TokenizerConfig& a, const text::TokenizerConfig& b) {
  return a.tokenizer == b.tokenizer && a.special_tokens == b.special_tokens &&
         a.normalization == b.normalization && a.lowercase == b.lowercase &&
         a.strip_accents == b.strip_accents && a.strip_markup == b.strip_markup &&
         !a.model_file.empty() && base::read_file(a.model_file) == base::read_file(b.model_file);
}

}  // namespace

nn::EncoderConfig RecommenderConfig::user() const {
  auto config = user_encoder;
  config.width = encoder.width;
  return config;
}

nn::EmbeddingOptions RecommenderConfig::embedding(std::int64_t vocabulary_size) const {
  return {.vocabulary_size = vocabulary_size,
          .width = encoder.width,
          .max_positions = max_positions,
          .normalization = embedding_normalization,
          .deviation = embedding_deviation,
          .dropout = embedding_dropout};
}

std::int64_t RecommenderConfig::title_limit(std::int64_t title_tokens) const {
  auto limit = title_tokens;
  if (has_pretrained()) return std::min(limit, bert.max_positions);
  if (max_positions > 0) limit = std::min(limit, max_positions);
  if (model == "fim") limit = std::min(limit, matched_words);
  return limit;
}

void RecommenderConfig::validate() const {
  if (has_pretrained() == pretrained.empty()) {
    throw std::invalid_argument(
        has_pretrained()
            ? "model.pretrained is empty, but " + model +
                  " needs a pre-trained encoder; name the folder of a BERT model"
            : "model.pretrained is for plm_nr and fastformer_plm_nr; leave it out with " + model);
  }
  if (model == "fim") return;
  if (!has_pretrained()) encoder.validate();
  if (encoder.width % user_encoder.heads != 0) {
    throw std::invalid_argument(
        "model.width = " + std::to_string(encoder.width) +
        " must be a multiple of model.user_heads = " + std::to_string(user_encoder.heads));
  }
  user().validate();
}

RecommenderConfig recommender_preset(const std::string& model) {
  RecommenderConfig config;
  config.model = model;
  auto& encoder = config.encoder;
  encoder.layers = 1;
  encoder.normalization = "none";
  if (model == "nrms" || model == "plm_nr") {
    encoder.mixer = "softmax";
    encoder.residual = false;
    encoder.output_projection = false;
    encoder.ffn_width = 0;
  }
  config.user_encoder = encoder;
  return config;
}

RecommenderConfig read_recommender_config(const base::ConfigTree& tree) {
  auto config = tree.read_preset_section<RecommenderConfig>(
      "model", [](const RecommenderConfig& named) { return recommender_preset(named.model); });
  if (!config.has_pretrained()) return config;
  if (tree.contains("pretrained")) {
    PretrainedShape shape;
    tree.read_section("pretrained", shape);
    config.bert = shape.config();
  } else {
    config.bert = nn::BertConfig::load(std::filesystem::path(config.pretrained) / "config.json");
  }
  return config;
}

void check_pretrained_text(const RecommenderConfig& config, const text::TokenizerConfig& text) {
  if (!config.has_pretrained()) return;
  const auto expected = text::bert_tokenizer_config(config.pretrained);
  if (same_text(text, expected)) return;
  const auto word = [](bool value) { return value ? "true" : "false"; };
  throw std::invalid_argument(
      "the section [text] does not cut titles as the encoder in " + config.pretrained +
      " expects them; set tokenizer = \"wordpiece\", model_file = \"" + expected.model_file +
      "\", special_tokens = true, normalization = \"none\", lowercase = " +
      word(expected.lowercase) + ", strip_accents = " + word(expected.strip_accents) +
      " and strip_markup = false");
}

}  // namespace fastformer::tasks

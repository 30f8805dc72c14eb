#include "fastformer/recommendation/model_config.h"

#include <algorithm>
#include <stdexcept>

#include "fastformer/recommendation/collaborative/click_scores.h"

namespace fastformer::recommendation {
namespace {

// EncoderConfig::validate() cannot name which of the two encoders is wrong.
void check_heads(std::int64_t width, const char* field, std::int64_t heads) {
  if (width % heads == 0) return;
  throw std::invalid_argument("model.width = " + std::to_string(width) + " must be a multiple of " +
                              field + " = " + std::to_string(heads));
}

}  // namespace

void ItemFields::visit_fields(base::FieldVisitor& visit) {
  visit("members", members,
        "what scores items by the clicks on them, beside their titles: popularity, item_knn, "
        "ease; []: nothing",
        base::one_of(click_member_names()));
  visit("most", most,
        "number of items that the members know, those with most users; training takes 40 bytes "
        "per pair of them",
        base::between(1, 20'000));
}

void ModelConfig::visit_fields(base::FieldVisitor& visit) {
  visit(
      "model", model,
      "recommender; nrms and plm_nr default to multi-head attention without a feed-forward block");
  encoder.visit_fields(visit);
  visit.table("users", users, "user encoder, over the vectors of clicked items");
  visit.table("items", items, "what is known about items by their ids");
  visit("query_width", query_width, "hidden width of the additive poolings",
        base::between(1, 65536));
  visit("negatives", negatives, "number of shown but unclicked items per click in training",
        base::between(1, 1000));
  visit("max_positions", max_positions, "number of learned word positions in titles; 0: none",
        base::between(0, 1 << 20));
  visit("embedding_normalization", embedding_normalization, "layer norm of the word embeddings");
  visit("embedding_dropout", embedding_dropout, "dropout rate of the embeddings",
        base::between(0, 0.99));
  visit("embedding_deviation", embedding_deviation, "standard deviation of the initial embeddings",
        base::between(0, 10));
  visit("initial_deviation", initial_deviation, "standard deviation of the initial linear weights",
        base::between(0, 10));
  visit("matched_words", matched_words,
        "fim: number of words at the start of a title that are compared", base::between(1, 1000));
  visit("matched_items", matched_items, "fim: number of latest clicks that are compared",
        base::between(1, 1000));
  visit("filters", filters, "fim: filters of each convolution over words", base::between(1, 65536));
  visit("pretrained", pretrained,
        "plm_nr, fastformer_plm_nr: folder of a BERT or DistilBERT model, with config.json, "
        "model.safetensors or its shards, and vocab.txt or tokenizer.json",
        base::file_path());
  visit("trainable_layers", trainable_layers,
        "number of last layers of the pre-trained encoder that are trained; 0: none; -1: all "
        "layers and the embeddings",
        base::between(-1, 1000));
  visit("pretrained_factor", pretrained_factor,
        "learning rate of the pre-trained encoder, relative to learning_rate",
        base::between(0, 1000));
}

void ModelConfig::validate() const {
  for (auto member = items.members.begin(); member != items.members.end(); ++member) {
    if (std::find(items.members.begin(), member, *member) == member) continue;
    throw std::invalid_argument("model.items.members lists " + *member + " twice; remove one");
  }
  if (has_pretrained() == pretrained.empty()) {
    const std::string name = base::word_of(model);
    throw std::invalid_argument(
        has_pretrained()
            ? "model.pretrained is empty, but " + name +
                  " needs a pre-trained encoder; set it to the folder of a BERT model"
            : "model.pretrained is for plm_nr and fastformer_plm_nr; remove it with " + name);
  }
  if (model == ModelKind::kFim) return;
  if (!has_pretrained()) {
    check_heads(encoder.width, "model.heads", encoder.heads);
    encoder.validate();
  }
  check_heads(encoder.width, "model.users.heads", users.encoder.heads);
  user_encoder().validate();
}

ModelConfig ModelConfig::read(const base::ConfigTree& tree) {
  auto config = tree.read_preset_section<ModelConfig>(
      "model", [](const ModelConfig& named) { return model_preset(named.model); });
  if (!config.has_pretrained()) return config;
  config.bert = model::BertConfig::of_model(tree, config.pretrained);
  return config;
}

model::EncoderConfig ModelConfig::user_encoder() const {
  auto config = users.encoder;
  config.width = encoder.width;
  return config;
}

model::EmbeddingOptions ModelConfig::embedding(std::int64_t vocabulary_size) const {
  return {.vocabulary_size = vocabulary_size,
          .width = encoder.width,
          .max_positions = max_positions,
          .normalization = embedding_normalization,
          .deviation = embedding_deviation,
          .dropout = embedding_dropout};
}

std::int64_t ModelConfig::title_limit(std::int64_t title_tokens) const {
  auto limit = title_tokens;
  if (has_pretrained()) return std::min(limit, bert.max_positions);
  if (max_positions > 0) limit = std::min(limit, max_positions);
  if (model == ModelKind::kFim) limit = std::min(limit, matched_words);
  return limit;
}

ModelConfig model_preset(ModelKind kind) {
  ModelConfig config;
  config.model = kind;
  auto& encoder = config.encoder;
  encoder.layers = 1;
  encoder.normalization = model::Normalization::kNone;
  if (kind == ModelKind::kNrms || kind == ModelKind::kPlmNr) {
    encoder.mixer = model::MixerConfig("softmax");
    encoder.residual = false;
    encoder.output_projection = false;
    encoder.ffn_width = 0;
  }
  config.users.encoder = encoder;
  return config;
}

}  // namespace fastformer::recommendation

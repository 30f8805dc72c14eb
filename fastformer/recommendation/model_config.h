#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fastformer/base/config_tree.h"
#include "fastformer/model/bert_config.h"
#include "fastformer/model/encoder_config.h"
#include "fastformer/nn/layers/embedding.h"
#include "fastformer/text/tokenizer.h"

namespace fastformer::recommendation {

/// The recommender models:
///   fastformer  one layer of the published code without normalization, which its authors advise
///               for recommendation, in both encoders (arXiv 2108.09084)
///   fim         fine-grained interest matching (see recommendation/fine_matcher.h)
///   nrms        only multi-head attention in both encoders (Wu et al., EMNLP 2019)
///   plm_nr      a pre-trained title encoder and the user encoder of nrms (Wu et al., SIGIR 2021,
///               who tune the last two layers); of the title encoder's fields only `width` is used
///   fastformer_plm_nr  the same with the user encoder of fastformer
enum class ModelKind : std::uint8_t { kFastformer, kFim, kNrms, kPlmNr, kFastformerPlmNr };

/// The user encoder, [model.users]. It has the fields of the title encoder except the width, which
/// both encoders share.
struct UserEncoderConfig {
  model::EncoderConfig encoder;

  void visit_fields(base::FieldVisitor& visit) { encoder.visit_all_but_width(visit); }
};

/// What the model knows about items by their ids: the table [model.items].
struct ItemFields {
  std::vector<std::string> members;  ///< see click_member_names(); empty: nothing
  std::int64_t most = 5000;          ///< number of items that members know

  void visit_fields(base::FieldVisitor& visit);
};

/// The recipe's [model] section for recommendation.
struct ModelConfig {
  ModelKind model = ModelKind::kFastformer;
  model::EncoderConfig encoder;  ///< of titles
  UserEncoderConfig users;
  ItemFields items;
  std::int64_t query_width = 200;
  std::int64_t negatives = 4;
  std::int64_t max_positions = 0;
  bool embedding_normalization = false;
  double embedding_dropout = 0.2;
  double embedding_deviation = 0.1;
  double initial_deviation = 0.06;
  std::int64_t matched_words = 20;
  std::int64_t matched_items = 50;
  std::int64_t filters = 150;
  std::string pretrained;
  std::int64_t trainable_layers = 2;
  double pretrained_factor = 0.03;
  model::BertConfig bert;  ///< shape of `pretrained`; not a field of the section

  void visit_fields(base::FieldVisitor& visit);
  /// Throws std::invalid_argument with one sentence.
  void validate() const;

  /// The preset of `model`, overridden by the other fields of the section. The shape of a
  /// pre-trained encoder comes from the section [pretrained] of a saved model, or from its folder.
  /// Throws std::invalid_argument as ConfigTree::read_section and BertConfig::load do.
  static ModelConfig read(const base::ConfigTree& tree);

  /// The configuration of the user encoder, with the width of the title encoder.
  model::EncoderConfig user_encoder() const;
  model::EmbeddingOptions embedding(std::int64_t vocabulary_size) const;
  /// Whether the title encoder is pre-trained.
  bool has_pretrained() const {
    return model == ModelKind::kPlmNr || model == ModelKind::kFastformerPlmNr;
  }
  /// The width of an embedded word.
  std::int64_t word_width() const { return has_pretrained() ? bert.width : encoder.width; }
  /// Largest number of tokens of a title: `title_tokens`, limited to what the model reads.
  std::int64_t title_limit(std::int64_t title_tokens) const;
};

/// The default configuration of a model.
ModelConfig model_preset(ModelKind kind);

}  // namespace fastformer::recommendation

namespace fastformer::base {
template <>
inline constexpr std::array kWords<recommendation::ModelKind> = {"fastformer", "fim", "nrms",
                                                                 "plm_nr", "fastformer_plm_nr"};
}  // namespace fastformer::base

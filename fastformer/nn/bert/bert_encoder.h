#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "fastformer/model/bert_config.h"
#include "fastformer/nn/layers/layer_norm.h"
#include "fastformer/nn/layers/linear.h"
#include "fastformer/nn/offsets.h"

namespace fastformer::nn {

/// Softmax attention between the tokens of each sequence with dropout of the weights, as in BERT's
/// training (Devlin et al., arXiv 1810.04805, appendix A.2). For each head, with its own
/// e = d / heads columns:
///   O_i = sum over j of dropout(softmax_j(Q_i . K_j / sqrt(e))) V_j
/// query, key, value [T, d] -> [T, d]. For dropout see `layers/dropout.h`. Sequences of equal
/// length share one product. The weights of all pairs of tokens, n^2 for each head and sequence,
/// are stored for the backward pass; without dropout, `attend_rows` gives the same result and
/// stores less. Throws c10::Error if shapes or types disagree.
at::Tensor attend_with_dropout(const at::Tensor& query, const at::Tensor& key,
                               const at::Tensor& value, std::int64_t heads, const Offsets& offsets,
                               double rate);

/// Which parts of a pre-trained encoder are trained.
struct FineTuning {
  static constexpr std::int64_t kEverything = -1;
  /// 0: none; k: the last k layers; kEverything: all layers and the embeddings.
  std::int64_t layers = kEverything;
};

/// One layer of BERT, with layer normalization after each block:
///   x = norm(x + dropout(Wo attention(x) + bo));  x = norm(x + dropout(W2 f(W1 x + b1) + b2))
class BertLayer {
 public:
  BertLayer(const model::BertConfig& config, ParameterStore& store, const std::string& name);

  /// x [T, d] -> [T, d].
  at::Tensor forward(const at::Tensor& x, const Offsets& offsets, bool training) const;

 private:
  model::BertConfig config_;
  Linear query_, key_, value_, attention_output_, inner_, output_;
  LayerNorm attention_norm_, output_norm_;
};

/// BERT's encoder (Devlin et al., arXiv 1810.04805, section 3) for ragged batches: the sum of
/// token, position and type embeddings (DistilBERT has no types), normalized, then layers of
/// softmax attention. It uses neither padding nor masks; all tokens have type 0.
///
///   nn::ParameterStore store(1);
///   store.read_from("titles.", std::make_shared<nn::BertWeights>(folder / "model.safetensors"));
///   const auto config = model::BertConfig::load(folder / "config.json");
///   const nn::BertEncoder encoder(config, store, "titles", {.layers = 2});
///   const auto states = encoder.forward(ids, offsets, training);
///
/// Parameters have the names of Hugging Face's transformers, with the prefix `<name>.`, or without
/// one if `name` is empty. Frozen tensors have no gradient. The part before the first trained layer
/// is a fixed function of the ids: it has no dropout and stores nothing for a backward pass, so
/// training may reuse its result for the same sequences.
class BertEncoder {
 public:
  /// Throws std::invalid_argument if `tuning` asks for more layers than the model has.
  BertEncoder(const model::BertConfig& config, ParameterStore& store, const std::string& name,
              FineTuning tuning = {});

  /// The rows of the last layer: ids [T] -> [T, d]. `training` turns on the dropout of the trained
  /// layers, which draws from LibTorch's default generator. Throws std::invalid_argument for an id
  /// outside the vocabulary or a sequence longer than the positions.
  at::Tensor forward(std::span<const std::int32_t> ids, const Offsets& offsets,
                     bool training) const;
  /// The same in two steps: the frozen layers, then the trained ones. If the embeddings are
  /// trained, no layer is frozen, and frozen_rows() throws std::logic_error.
  bool has_frozen_rows() const { return !tunes_embeddings_; }
  at::Tensor frozen_rows(std::span<const std::int32_t> ids, const Offsets& offsets) const;
  at::Tensor forward_frozen(at::Tensor rows, const Offsets& offsets, bool training) const;

  /// The tables with sparse gradients and the sorted, unique rows of each that the batch uses:
  /// {parameter name: rows}. Empty if the embeddings are frozen.
  std::vector<std::pair<std::string, at::Tensor>> touched_rows(std::span<const std::int32_t> ids,
                                                               const Offsets& offsets) const;

  /// All parameters, trained or frozen, by their names without `<name>.`.
  const ParameterMap& parameters() const { return parameters_; }
  const model::BertConfig& config() const { return config_; }

 private:
  at::Tensor embed(std::span<const std::int32_t> ids, const Offsets& offsets, bool training) const;

  model::BertConfig config_;
  std::string prefix_;
  ParameterMap parameters_;
  at::Tensor token_, position_, type_;
  LayerNorm norm_;
  std::vector<BertLayer> layers_;
  bool tunes_embeddings_;
  std::int64_t first_tuned_;  // the first trained layer
};

}  // namespace fastformer::nn

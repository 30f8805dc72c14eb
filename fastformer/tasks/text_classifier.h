#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fastformer/data/ragged_batch.h"
#include "fastformer/nn/additive_pooling.h"
#include "fastformer/nn/embedding.h"
#include "fastformer/nn/encoder.h"
#include "fastformer/nn/parameter_store.h"
#include "fastformer/tasks/model_config.h"

namespace fastformer::tasks {

/// The weights that a model gave the tokens of a batch, for explanations.
struct ClassifierTrace {
  std::vector<nn::MixerTrace> layers;
  at::Tensor pooling_weights;  ///< [T, 1]
  at::Tensor encoded;          ///< [T, d], what the pooling saw
};

/// Text classification (Wu et al., arXiv 2108.09084, section 4.2): embedding, Fastformer encoder,
/// additive pooling, one linear layer.
///
///   const TextClassifier model(config, tokenizer->vocabulary_size(), labels.size(), /*seed=*/1);
///   const at::Tensor logits = model.forward(batch, /*training=*/false);  // [B, classes]
///
/// A document without tokens is pooled to the zero vector. Immutable but for its parameters, which
/// an optimizer changes: without one, safe to share by threads.
class TextClassifier {
 public:
  TextClassifier(const ModelConfig& config, std::int64_t vocabulary_size, std::int64_t classes,
                 std::uint64_t seed, at::ScalarType dtype = at::kFloat);

  /// Logits [B, classes]. `training` turns dropout on, which draws from LibTorch's default
  /// generator. `trace` may be null; it is for evaluation, where no token is dropped.
  at::Tensor forward(const data::RaggedBatch& batch, bool training,
                     ClassifierTrace* trace = nullptr) const;

  const nn::ParameterMap& parameters() const { return store_.parameters(); }
  /// The tables whose gradients are sparse, and their rows that a batch touches.
  std::set<std::string> row_sparse_parameters() const;
  std::vector<std::pair<std::string, at::Tensor>> touched_rows(
      const data::RaggedBatch& batch) const;

  const ModelConfig& config() const { return config_; }
  std::int64_t classes() const { return classes_; }

 private:
  ModelConfig config_;
  std::int64_t classes_;
  nn::ParameterStore store_;
  nn::Embedding embedding_;
  nn::Encoder encoder_;
  nn::AdditivePooling pooling_;
  nn::Linear classifier_;
};

}  // namespace fastformer::tasks

#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "fastformer/model/embedding_options.h"
#include "fastformer/nn/layers/layer_norm.h"
#include "fastformer/nn/offsets.h"

namespace fastformer::nn {

/// Token ids to rows: E[id] + P[position] + G[bucket(previous id, id)], then layer normalization
/// and dropout. All tables are learned; all parts except E are optional. G uses the hashing trick
/// of fastText (Joulin et al., arXiv 1607.01759): token pairs share a table of fixed size, which
/// gives a small model information about local word order.
///
/// Gradients of the tables are sparse tensors: a step costs only the rows that it uses.
class Embedding {
 public:
  /// `tokens`: the name of another embedding whose token table is used; by default `name`.
  Embedding(const model::EmbeddingOptions& options, ParameterStore& store, const std::string& name,
            const std::string& tokens = "");

  /// ids [T] -> [T, d]. Throws std::invalid_argument for an id outside the vocabulary or a
  /// sequence longer than the positions.
  at::Tensor forward(std::span<const std::int32_t> ids, const Offsets& offsets,
                     bool training) const;

  /// Embeds one token for each of T sequences, all at the same position -> [T, d]. For decoding,
  /// without dropout. Throws c10::Error for an id or a position outside its table, and if the
  /// embedding has token pairs.
  at::Tensor forward_at(std::span<const std::int32_t> ids, std::int64_t position) const;

  /// The token table [V, d].
  const at::Tensor& tokens() const { return token_; }

  /// The sorted, unique rows of each sparse table that the batch uses: {parameter name: rows}.
  std::vector<std::pair<std::string, at::Tensor>> touched_rows(std::span<const std::int32_t> ids,
                                                               const Offsets& offsets) const;

 private:
  at::Tensor bigram_scale(const Offsets& offsets, bool training) const;
  at::Tensor normalized_in_place(const at::Tensor& x) const;
  at::Tensor buckets(std::span<const std::int32_t> ids, const Offsets& offsets) const;

  model::EmbeddingOptions options_;
  std::string name_, token_name_;
  at::Tensor token_, position_, bigram_;
  LayerNorm norm_;
};

}  // namespace fastformer::nn

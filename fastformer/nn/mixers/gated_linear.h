#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "fastformer/nn/mixers/mixer.h"
#include "fastformer/nn/offsets.h"

namespace fastformer::nn {

/// The matrices of `gated_linear`, shared by all sequences.
struct GatedWeights {
  at::Tensor inner;   ///< [m, d]
  at::Tensor outer;   ///< [e, m]
  at::Tensor direct;  ///< [e, d]
};

/// Two linear layers with a scale between them that depends on the sequence, plus a direct layer.
/// For the rows i of sequence b:
///   y_i = outer (gate_b * (inner x_i)) + direct x_i + constant_b
/// x [T, d], gates [B, m], constants [B, e] -> [T, e]. This is the last step of a Fastformer layer
/// for each token, after its global key is known.
///
/// There are two ways with the same result. For a sequence of at least `least_merged` tokens, the
/// matrix M_b = outer diag(gate_b) inner + direct is computed, so that each token needs one product
/// instead of three. Other sequences are computed in blocks of rows that stay in the cache. In both
/// cases the backward pass recomputes intermediate values: only x and the arguments are stored.
///
/// Deterministic for a given number of threads. Float or double; throws c10::Error if shapes or
/// types disagree.
at::Tensor gated_linear(const at::Tensor& x, const GatedWeights& weights, const at::Tensor& gates,
                        const at::Tensor& constants, const Offsets& offsets,
                        std::int64_t least_merged);

/// The same for inference, block by block: see Mixer::stream.
void stream_gated_linear(const at::Tensor& x, const GatedWeights& weights, const at::Tensor& gates,
                         const at::Tensor& constants, const Offsets& offsets,
                         std::int64_t least_merged, const RowSink& sink);

}  // namespace fastformer::nn

#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "fastformer/kernels/activation.h"
#include "fastformer/model/encoder_config.h"
#include "fastformer/nn/layers/layer_norm.h"
#include "fastformer/nn/layers/linear.h"
#include "fastformer/nn/offsets.h"
#include "fastformer/nn/parameter_store.h"

namespace fastformer::nn {

/// Keys and values [R, d] of one layer.
struct CachedRows {
  at::Tensor key, value;
};

/// The hypotheses that a decoder is extending; all have the same length. Each belongs to a
/// document, and they are in the order of their documents.
///
/// Each step writes one row for each hypothesis and layer, and a hypothesis is a list of rows. So
/// hypotheses share common rows, selecting and reordering them moves no keys or values, and memory
/// is linear in their number and length. The keys and values of a document are stored once for all
/// its hypotheses.
class DecoderState {
 public:
  /// Starts one empty hypothesis per document; `documents` has the keys and values for each layer.
  DecoderState(std::vector<CachedRows> documents, const Offsets& document_offsets);

  std::int64_t hypotheses() const { return static_cast<std::int64_t>(document_of_.size()); }
  std::int64_t length() const { return length_; }
  /// The document of each hypothesis, [H].
  std::span<const std::int64_t> documents() const { return document_of_; }
  /// The ranges of hypotheses and of rows that belong to each document, [B + 1] each.
  Offsets hypothesis_offsets() const { return Offsets(hypothesis_offsets_); }
  Offsets document_offsets() const { return Offsets(document_offsets_); }

  /// Replaces hypothesis i by a copy of the former hypothesis `parents[i]`. A document without any
  /// is finished. Throws c10::Error unless the parents are in the order of documents.
  void select(std::span<const std::int64_t> parents);

  // For the layers, to be called in this order:
  void begin_step(std::int64_t rows);
  void append(std::int64_t layer, const at::Tensor& key, const at::Tensor& value);
  at::Tensor attend_own(std::int64_t layer, const at::Tensor& query, std::int64_t heads) const;
  at::Tensor attend_documents(std::int64_t layer, const at::Tensor& query,
                              std::int64_t heads) const;

 private:
  void place_hypotheses();

  std::vector<CachedRows> documents_, own_;
  std::vector<std::int64_t> document_offsets_, hypothesis_offsets_, document_of_;
  std::vector<std::int64_t> ancestors_;  // [H, length], rows of own_
  std::int64_t length_ = 0, used_ = 0;   // used_: rows of own_ in use
};

struct DecoderConfig {
  std::int64_t layers = 4;
  std::int64_t width = 256;
  std::int64_t heads = 16;        ///< divides width
  std::int64_t ffn_width = 1024;  ///< 0: no feed-forward block
  kernels::Activation activation = kernels::Activation::kGelu;
  model::Normalization normalization = model::Normalization::kPost;
  double dropout = 0.2;
};

/// The projections of one attention block in a decoder layer: `<name>.query`, `.key`, `.value`,
/// `.output` and, if configured, `.normalization`.
struct DecoderAttention {
  DecoderAttention(const DecoderConfig& config, ParameterStore& store, const std::string& name);

  Linear query, key, value, output;
  LayerNorm norm;
};

/// A layer of the Transformer's decoder (Vaswani et al., arXiv 1706.03762, section 3.1): causal
/// attention to the target, attention to the document, and a feed-forward block, each with dropout,
/// residual and layer normalization as in `EncoderLayer`.
class DecoderLayer {
 public:
  DecoderLayer(const DecoderConfig& config, ParameterStore& store, const std::string& name);

  /// x [T, d] with `offsets`, memory [S, d] with `memory_offsets` -> [T, d]. `document_weights` may
  /// be null; otherwise the batch must have one sequence, and it receives the `attention_weights`
  /// [T, S] to the document.
  at::Tensor forward(const at::Tensor& x, const Offsets& offsets, const at::Tensor& memory,
                     const Offsets& memory_offsets, bool training,
                     at::Tensor* document_weights) const;

  /// Computes the keys and values of documents for later steps.
  CachedRows remember(const at::Tensor& memory) const;
  /// Processes x [H, d], the newest row of each hypothesis, as layer `index` -> [H, d]. Appends its
  /// keys and values to `state`.
  at::Tensor step(const at::Tensor& x, DecoderState& state, std::int64_t index) const;

 private:
  template <class Own, class Cross>
  at::Tensor blocks(const at::Tensor& x, bool training, const Own& own, const Cross& cross) const;
  template <class Inner>
  at::Tensor block(const at::Tensor& x, const LayerNorm& norm, bool training,
                   const Inner& inner) const;

  DecoderConfig config_;
  DecoderAttention self_, cross_;
  Linear ffn_input_, ffn_output_;
  LayerNorm ffn_norm_;
};

/// The stack of decoder layers over ragged targets and encoded documents:
///
///   y = decoder.forward(x, offsets, memory, memory_offsets, training);     // all rows at once
///
/// or, for inference, row by row with equal results; each row is computed once:
///
///   auto state = decoder.begin(memory, memory_offsets);   // one hypothesis per document
///   y = decoder.step(x, state);                           // x [H, d] -> [H, d]
///   state.select(parents);                                // the hypotheses to continue
///
/// A document without rows counts as zeros in the attention. Throws c10::Error if shapes disagree.
class Decoder {
 public:
  Decoder(const DecoderConfig& config, ParameterStore& store, const std::string& name);

  /// `document_weights` may be null; otherwise the batch must have one sequence, and it receives
  /// the weights [T, S] of the last layer's attention to the document.
  at::Tensor forward(at::Tensor x, const Offsets& offsets, const at::Tensor& memory,
                     const Offsets& memory_offsets, bool training,
                     at::Tensor* document_weights = nullptr) const;

  DecoderState begin(const at::Tensor& memory, const Offsets& memory_offsets) const;
  at::Tensor step(at::Tensor x, DecoderState& state) const;

 private:
  std::vector<DecoderLayer> layers_;
  LayerNorm final_norm_;  // for pre-normalization, which does not normalize the last sum
};

}  // namespace fastformer::nn

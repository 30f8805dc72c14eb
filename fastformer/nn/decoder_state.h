#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>
#include <vector>

#include "fastformer/nn/offsets.h"

namespace fastformer::nn {

/// Keys and values [R, d] of one layer.
struct CachedRows {
  at::Tensor key, value;
};

/// What a decoder knows of the hypotheses it is writing, all of which have the same length. A
/// hypothesis belongs to a document; hypotheses lie in the order of their documents.
///
/// Each step writes one row for each hypothesis and layer; a hypothesis is the list of the rows
/// that it was made of. So a row that several hypotheses have in common exists once, choosing and
/// reordering them moves no keys or values, and all of it takes memory linear in their number and
/// length. The keys and values of a document exist once for all its hypotheses.
class DecoderState {
 public:
  /// One hypothesis without rows for each document; `documents` holds a layer's keys and values.
  DecoderState(std::vector<CachedRows> documents, const Offsets& document_offsets);

  std::int64_t hypotheses() const { return static_cast<std::int64_t>(document_of_.size()); }
  std::int64_t length() const { return length_; }
  /// [H], the document of each hypothesis.
  std::span<const std::int64_t> documents() const { return document_of_; }
  /// Where the hypotheses of each document lie [B+1], and where its rows do.
  Offsets hypothesis_offsets() const { return Offsets(hypothesis_offsets_); }
  Offsets document_offsets() const { return Offsets(document_offsets_); }

  /// Hypothesis i becomes a copy of what `parents[i]` was; a document none of whose hypotheses is
  /// among them is finished. Throws c10::Error unless the parents lie in the order of documents.
  void select(std::span<const std::int64_t> parents);

  // For the layers, in this order:
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
  std::int64_t length_ = 0, used_ = 0;   // used rows of own_
};

}  // namespace fastformer::nn

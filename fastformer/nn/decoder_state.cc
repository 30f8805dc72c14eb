#include "fastformer/nn/decoder_state.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "fastformer/nn/listed_attention.h"
#include "fastformer/nn/row_attention.h"

namespace fastformer::nn {
namespace {

// Room for at least `rows`; doubled, so that a row is copied a bounded number of times.
void grow(at::Tensor& table, std::int64_t rows, const at::Tensor& like) {
  const auto capacity = table.defined() ? table.size(0) : 0;
  if (rows <= capacity) return;
  auto larger = at::empty({std::max(rows, 2 * capacity), like.size(1)}, like.options());
  if (capacity > 0) larger.narrow(0, 0, capacity).copy_(table);
  table = std::move(larger);
}

}  // namespace

DecoderState::DecoderState(std::vector<CachedRows> documents, const Offsets& document_offsets)
    : documents_(std::move(documents)),
      own_(documents_.size()),
      document_offsets_(document_offsets.copy()),
      document_of_(static_cast<std::size_t>(document_offsets.size())) {
  std::iota(document_of_.begin(), document_of_.end(), 0);
  place_hypotheses();
}

void DecoderState::place_hypotheses() {
  hypothesis_offsets_.assign(document_offsets_.size(), 0);
  for (const auto document : document_of_) ++hypothesis_offsets_[document + 1];
  std::partial_sum(hypothesis_offsets_.begin(), hypothesis_offsets_.end(),
                   hypothesis_offsets_.begin());
}

void DecoderState::select(std::span<const std::int64_t> parents) {
  std::vector<std::int64_t> documents, ancestors;
  ancestors.reserve(parents.size() * static_cast<std::size_t>(length_));
  for (const auto parent : parents) {
    TORCH_CHECK(parent >= 0 && parent < hypotheses(), "expected parents below ", hypotheses(),
                ", got ", parent);
    documents.push_back(document_of_[parent]);
    const auto first = ancestors_.begin() + parent * length_;
    ancestors.insert(ancestors.end(), first, first + length_);
  }
  TORCH_CHECK(std::is_sorted(documents.begin(), documents.end()),
              "expected the parents in the order of their documents");
  document_of_ = std::move(documents);
  ancestors_ = std::move(ancestors);
  place_hypotheses();
}

void DecoderState::begin_step(std::int64_t rows) {
  TORCH_CHECK(rows == hypotheses(), "expected a row for each of ", hypotheses(),
              " hypotheses, got ", rows);
  std::vector<std::int64_t> ancestors;
  ancestors.reserve(static_cast<std::size_t>(rows * (length_ + 1)));
  for (std::int64_t i = 0; i < rows; ++i) {
    const auto first = ancestors_.begin() + i * length_;
    ancestors.insert(ancestors.end(), first, first + length_);
    ancestors.push_back(used_ + i);
  }
  ancestors_ = std::move(ancestors);
  used_ += rows;
  ++length_;
}

void DecoderState::append(std::int64_t layer, const at::Tensor& key, const at::Tensor& value) {
  auto& own = own_[layer];
  grow(own.key, used_, key);
  grow(own.value, used_, value);
  own.key.narrow(0, used_ - key.size(0), key.size(0)).copy_(key);
  own.value.narrow(0, used_ - value.size(0), value.size(0)).copy_(value);
}

at::Tensor DecoderState::attend_own(std::int64_t layer, const at::Tensor& query,
                                    std::int64_t heads) const {
  return attend_listed(query, own_[layer].key, own_[layer].value, heads, ancestors_);
}

at::Tensor DecoderState::attend_documents(std::int64_t layer, const at::Tensor& query,
                                          std::int64_t heads) const {
  const auto& rows = documents_[layer];
  return attend_rows(query, rows.key, rows.value, heads, hypothesis_offsets(), document_offsets());
}

}  // namespace fastformer::nn

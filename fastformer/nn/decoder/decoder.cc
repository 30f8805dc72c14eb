#include "fastformer/nn/decoder/decoder.h"

#include <ATen/Dispatch.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "fastformer/kernels/parallel.h"
#include "fastformer/kernels/row_blocks.h"
#include "fastformer/kernels/softmax_attention.h"
#include "fastformer/nn/layers/dropout.h"
#include "fastformer/nn/layers/feed_forward.h"
#include "fastformer/nn/mixers/row_attention.h"

namespace fastformer::nn {

namespace {

// Capacity for at least `rows`; doubled, so that a row is copied a bounded number of times.
void grow_table(at::Tensor& table, std::int64_t rows, const at::Tensor& like) {
  const auto capacity = table.defined() ? table.size(0) : 0;
  if (rows <= capacity) return;
  auto larger = at::empty({std::max(rows, 2 * capacity), like.size(1)}, like.options());
  if (capacity > 0) larger.narrow(0, 0, capacity).copy_(table);
  table = std::move(larger);
}

// The columns of one head of the listed rows, contiguous.
template <class Real>
void gather_listed(const Real* table, std::int64_t stride, std::span<const std::int64_t> rows,
                   std::int64_t width, Real* to) {
  for (const auto row : rows) {
    std::copy_n(table + row * stride, width, to);
    to += width;
  }
}

template <class Real>
void run_listed(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                std::int64_t heads, std::span<const std::int64_t> rows, const at::Tensor& out) {
  const auto hypotheses = query.size(0), d = query.size(1), width = d / heads;
  const auto count = static_cast<std::int64_t>(rows.size()) / hypotheses;
  const auto *q = query.const_data_ptr<Real>(), *k = key.const_data_ptr<Real>();
  const auto* v = value.const_data_ptr<Real>();
  auto* y = out.mutable_data_ptr<Real>();
  const auto scale = static_cast<Real>(1 / std::sqrt(static_cast<double>(width)));
  const std::array<kernels::KeyRange, 1> ranges = {{{0, count}}};
  const auto copied = count * width;
  const auto size = 2 * copied + 2 + kernels::attention_scratch_size(width);
  kernels::parallel_for(0, hypotheses * heads, 4, [&](std::int64_t begin, std::int64_t end) {
    auto* keys = kernels::scratch_of<Real>(size);
    auto *values = keys + copied, *statistics = values + copied;
    for (auto i = begin; i < end; ++i) {
      const auto hypothesis = i / heads, column = i % heads * width, at = hypothesis * d + column;
      const auto list = rows.subspan(hypothesis * count, count);
      gather_listed(k + column, d, list, width, keys);
      gather_listed(v + column, d, list, width, values);
      kernels::attend<Real>({{q + at, d}, {keys, width}, {values, width}, width, scale},
                            {0, 1, ranges}, {y + at, d}, statistics, statistics + 2);
    }
  });
}

// Softmax attention of single rows, each to the rows of its own list: query [H, d], key and value
// [R, d], rows [H, n] numbers below R -> [H, d]. Lists may share rows. Not differentiable.
at::Tensor attend_listed(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                         std::int64_t heads, std::span<const std::int64_t> rows) {
  TORCH_CHECK(query.dim() == 2 && key.dim() == 2 && key.size(1) == query.size(1) &&
                  key.sizes() == value.sizes() && query.size(1) % heads == 0,
              "expected a query [H, d] and keys and values [R, d] of ", heads, " heads, got ",
              query.sizes(), ", ", key.sizes(), " and ", value.sizes());
  TORCH_CHECK(query.scalar_type() == key.scalar_type() && key.scalar_type() == value.scalar_type(),
              "expected one type, got ", query.scalar_type(), ", ", key.scalar_type(), " and ",
              value.scalar_type());
  auto out = at::zeros_like(query, at::MemoryFormat::Contiguous);
  if (query.size(0) == 0) return out;
  TORCH_CHECK(rows.size() % query.size(0) == 0, "expected lists of equal length for ",
              query.size(0), " rows, got ", rows.size(), " numbers");
  AT_DISPATCH_FLOATING_TYPES(query.scalar_type(), "attend_listed", [&] {
    run_listed<scalar_t>(query.contiguous(), key.contiguous(), value.contiguous(), heads, rows,
                         out);
  });
  return out;
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
  grow_table(own.key, used_, key);
  grow_table(own.value, used_, value);
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

DecoderAttention::DecoderAttention(const DecoderConfig& config, ParameterStore& store,
                                   const std::string& name)
    : query(store, name + ".query", config.width, config.width),
      key(store, name + ".key", config.width, config.width),
      value(store, name + ".value", config.width, config.width),
      output(store, name + ".output", config.width, config.width) {
  if (config.normalization == model::Normalization::kNone) return;
  norm = LayerNorm(store, name + ".normalization", config.width);
}

DecoderLayer::DecoderLayer(const DecoderConfig& config, ParameterStore& store,
                           const std::string& name)
    : config_(config),
      self_(config, store, name + ".self_attention"),
      cross_(config, store, name + ".cross_attention") {
  if (config.ffn_width == 0) return;
  ffn_input_ = Linear(store, name + ".feed_forward.input", config.width, config.ffn_width);
  ffn_output_ = Linear(store, name + ".feed_forward.output", config.ffn_width, config.width);
  if (config.normalization == model::Normalization::kNone) return;
  ffn_norm_ = LayerNorm(store, name + ".feed_forward.normalization", config.width);
}

template <class Inner>
at::Tensor DecoderLayer::block(const at::Tensor& x, const LayerNorm& norm, bool training,
                               const Inner& inner) const {
  const bool pre = config_.normalization == model::Normalization::kPre;
  const double rate = training ? config_.dropout : 0;
  const auto y = inner(pre ? norm.forward(x) : x);
  if (config_.normalization == model::Normalization::kPost) return norm.forward(y, x, rate);
  return rate > 0 ? dropout_add(y, x, rate) : y + x;
}

// own(rows) and cross(rows) are the two attentions before their output projections.
template <class Own, class Cross>
at::Tensor DecoderLayer::blocks(const at::Tensor& x, bool training, const Own& own,
                                const Cross& cross) const {
  auto y = block(x, self_.norm, training,
                 [&](const at::Tensor& rows) { return self_.output.forward(own(rows)); });
  y = block(y, cross_.norm, training,
            [&](const at::Tensor& rows) { return cross_.output.forward(cross(rows)); });
  if (!ffn_input_) return y;
  return block(y, ffn_norm_, training, [&](const at::Tensor& rows) {
    return feed_forward(rows, ffn_input_, ffn_output_, config_.activation);
  });
}

at::Tensor DecoderLayer::forward(const at::Tensor& x, const Offsets& offsets,
                                 const at::Tensor& memory, const Offsets& memory_offsets,
                                 bool training, at::Tensor* document_weights) const {
  TORCH_CHECK(document_weights == nullptr || offsets.size() == 1,
              "expected one document for the attention weights, got ", offsets.size());
  const auto own = [&](const at::Tensor& rows) {
    const auto parts = project(rows, {self_.query, self_.key, self_.value});
    return attend_rows(parts[0], parts[1], parts[2], config_.heads, offsets, offsets, {.ahead = 0});
  };
  const auto cross = [&](const at::Tensor& rows) {
    const auto parts = project(memory, {cross_.key, cross_.value});
    const auto query = cross_.query.forward(rows);
    if (document_weights != nullptr) {
      *document_weights = attention_weights(query, parts[0], config_.heads);
    }
    return attend_rows(query, parts[0], parts[1], config_.heads, offsets, memory_offsets);
  };
  return blocks(x, training, own, cross);
}

CachedRows DecoderLayer::remember(const at::Tensor& memory) const {
  auto parts = project(memory, {cross_.key, cross_.value});
  return {std::move(parts[0]), std::move(parts[1])};
}

at::Tensor DecoderLayer::step(const at::Tensor& x, DecoderState& state, std::int64_t index) const {
  const auto own = [&](const at::Tensor& rows) {
    const auto parts = project(rows, {self_.query, self_.key, self_.value});
    state.append(index, parts[1], parts[2]);
    return state.attend_own(index, parts[0], config_.heads);
  };
  const auto cross = [&](const at::Tensor& rows) {
    return state.attend_documents(index, cross_.query.forward(rows), config_.heads);
  };
  return blocks(x, /*training=*/false, own, cross);
}

Decoder::Decoder(const DecoderConfig& config, ParameterStore& store, const std::string& name) {
  for (std::int64_t i = 0; i < config.layers; ++i) {
    layers_.emplace_back(config, store, name + ".layers." + std::to_string(i));
  }
  if (config.normalization == model::Normalization::kPre) {
    final_norm_ = LayerNorm(store, name + ".normalization", config.width);
  }
}

at::Tensor Decoder::forward(at::Tensor x, const Offsets& offsets, const at::Tensor& memory,
                            const Offsets& memory_offsets, bool training,
                            at::Tensor* document_weights) const {
  for (const auto& layer : layers_) {
    auto* weights = &layer == &layers_.back() ? document_weights : nullptr;
    x = layer.forward(x, offsets, memory, memory_offsets, training, weights);
  }
  return final_norm_ ? final_norm_.forward(x) : x;
}

DecoderState Decoder::begin(const at::Tensor& memory, const Offsets& memory_offsets) const {
  const c10::NoGradGuard no_gradients;
  check_rows(memory, memory_offsets);
  std::vector<CachedRows> rows;
  for (const auto& layer : layers_) rows.push_back(layer.remember(memory));
  return {std::move(rows), memory_offsets};
}

at::Tensor Decoder::step(at::Tensor x, DecoderState& state) const {
  const c10::NoGradGuard no_gradients;
  state.begin_step(x.size(0));
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    x = layers_[i].step(x, state, static_cast<std::int64_t>(i));
  }
  return final_norm_ ? final_norm_.forward(x) : x;
}

}  // namespace fastformer::nn

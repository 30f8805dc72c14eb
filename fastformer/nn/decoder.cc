#include "fastformer/nn/decoder.h"

#include "fastformer/nn/attention_weights.h"
#include "fastformer/nn/dropout.h"
#include "fastformer/nn/feed_forward.h"
#include "fastformer/nn/projections.h"
#include "fastformer/nn/row_attention.h"

namespace fastformer::nn {

DecoderAttention::DecoderAttention(const DecoderConfig& config, ParameterStore& store,
                                   const std::string& name)
    : query(store, name + ".query", config.width, config.width),
      key(store, name + ".key", config.width, config.width),
      value(store, name + ".value", config.width, config.width),
      output(store, name + ".output", config.width, config.width),
      norm(store, name + ".normalization", config.width) {}

DecoderLayer::DecoderLayer(const DecoderConfig& config, ParameterStore& store,
                           const std::string& name)
    : config_(config),
      self_(config, store, name + ".self_attention"),
      cross_(config, store, name + ".cross_attention") {
  if (config.ffn_width == 0) return;
  ffn_input_ = Linear(store, name + ".feed_forward.input", config.width, config.ffn_width);
  ffn_output_ = Linear(store, name + ".feed_forward.output", config.ffn_width, config.width);
  ffn_norm_ = LayerNorm(store, name + ".feed_forward.normalization", config.width);
}

template <class Inner>
at::Tensor DecoderLayer::block(const at::Tensor& x, const LayerNorm& norm, bool training,
                               const Inner& inner) const {
  const bool pre = config_.normalization == "pre";
  const double rate = training ? config_.dropout : 0;
  const auto y = inner(pre ? norm.forward(x) : x);
  if (!pre) return norm.forward(y, x, rate);
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
  const auto activation =
      config_.activation == "gelu" ? kernels::Activation::kGelu : kernels::Activation::kRelu;
  return block(y, ffn_norm_, training, [&](const at::Tensor& rows) {
    return feed_forward(rows, ffn_input_, ffn_output_, activation);
  });
}

at::Tensor DecoderLayer::forward(const at::Tensor& x, const Offsets& offsets,
                                 const at::Tensor& memory, const Offsets& memory_offsets,
                                 bool training, at::Tensor* document_weights) const {
  TORCH_CHECK(document_weights == nullptr || offsets.size() == 1,
              "expected one document to give weights of, got ", offsets.size());
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
  if (config.normalization == "pre") {
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

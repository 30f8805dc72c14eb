#include "fastformer/nn/layers/encoder.h"

#include <c10/core/InferenceMode.h>

#include "fastformer/nn/layers/dropout.h"
#include "fastformer/nn/layers/feed_forward.h"

namespace fastformer::nn {

EncoderLayer::EncoderLayer(const model::EncoderConfig& config, ParameterStore& store,
                           const std::string& name)
    : config_(config),
      mixer_(make_mixer(config.mixer, config.mixer_shape(), store, name + ".attention")) {
  const bool normalized = config.normalization != model::Normalization::kNone;
  if (normalized) mixer_norm_ = LayerNorm(store, name + ".attention.normalization", config.width);
  if (config.ffn_width == 0) return;
  ffn_input_ = Linear(store, name + ".feed_forward.input", config.width, config.ffn_width);
  ffn_output_ = Linear(store, name + ".feed_forward.output", config.ffn_width, config.width);
  if (normalized) ffn_norm_ = LayerNorm(store, name + ".feed_forward.normalization", config.width);
}

at::Tensor EncoderLayer::close_block(const at::Tensor& x, const at::Tensor& y,
                                     const LayerNorm& norm, bool training) const {
  const auto residual = config_.residual ? x : at::Tensor();
  const double rate = training ? config_.dropout : 0;
  if (config_.normalization == model::Normalization::kPost) return norm.forward(y, residual, rate);
  return rate > 0 ? dropout_add(y, residual, rate) : config_.residual ? y + x : y;
}

// The steps after the mixer, row by row.
at::Tensor EncoderLayer::finish(const at::Tensor& x, const at::Tensor& mixed, bool training) const {
  const auto y = close_block(x, mixed, mixer_norm_, training);
  if (config_.ffn_width == 0) return y;
  const bool pre = config_.normalization == model::Normalization::kPre;
  const auto inner = pre ? ffn_norm_.forward(y) : y;
  return close_block(y, feed_forward(inner, ffn_input_, ffn_output_, config_.activation), ffn_norm_,
                     training);
}

at::Tensor EncoderLayer::forward(const at::Tensor& x, const Offsets& offsets, bool training,
                                 MixerTrace* trace) const {
  const bool pre = config_.normalization == model::Normalization::kPre;
  const auto input = pre ? mixer_norm_.forward(x) : x;
  return finish(x, mixer_->forward(input, offsets, trace), training);
}

void EncoderLayer::infer(const at::Tensor& x, const Offsets& offsets) const {
  const bool pre = config_.normalization == model::Normalization::kPre;
  const auto input = pre ? mixer_norm_.forward(x) : x;
  mixer_->stream(input, offsets, [&](std::int64_t first, const at::Tensor& y) {
    const auto rows = x.narrow(0, first, y.size(0));
    rows.copy_(finish(rows, y, /*training=*/false));
  });
}

Encoder::Encoder(const model::EncoderConfig& config, ParameterStore& store,
                 const std::string& name) {
  for (std::int64_t i = 0; i < config.layers; ++i) {
    const auto index = config.share_layers ? 0 : i;
    layers_.emplace_back(config, store, name + ".layers." + std::to_string(index));
  }
  if (config.normalization == model::Normalization::kPre) {
    final_norm_ = LayerNorm(store, name + ".normalization", config.width);
  }
}

at::Tensor Encoder::forward(at::Tensor x, const Offsets& offsets, bool training,
                            std::vector<MixerTrace>* traces) const {
  for (const auto& layer : layers_) {
    MixerTrace trace;
    x = layer.forward(x, offsets, training, traces != nullptr ? &trace : nullptr);
    if (traces != nullptr) traces->push_back(std::move(trace));
  }
  return final_norm_ ? final_norm_.forward(x) : x;
}

at::Tensor Encoder::infer(const at::Tensor& x, const Offsets& offsets) const {
  const c10::InferenceMode inference;
  for (const auto& layer : layers_) layer.infer(x, offsets);
  return final_norm_ ? final_norm_.forward(x) : x;
}

}  // namespace fastformer::nn

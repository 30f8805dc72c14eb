#include "fastformer/nn/encoder.h"

#include "fastformer/nn/dropout.h"

namespace fastformer::nn {

EncoderLayer::EncoderLayer(const EncoderConfig& config, ParameterStore& store,
                           const std::string& name)
    : config_(config), mixer_(make_mixer(config, store, name + ".attention")) {
  const bool normalized = config.normalization != "none";
  if (normalized) mixer_norm_ = LayerNorm(store, name + ".attention.normalization", config.width);
  if (config.ffn_width == 0) return;
  ffn_input_ = Linear(store, name + ".feed_forward.input", config.width, config.ffn_width);
  ffn_output_ = Linear(store, name + ".feed_forward.output", config.ffn_width, config.width);
  if (normalized) ffn_norm_ = LayerNorm(store, name + ".feed_forward.normalization", config.width);
}

at::Tensor EncoderLayer::close_block(const at::Tensor& x, const at::Tensor& y,
                                     const LayerNorm& norm, bool training) const {
  auto out = y;
  if (training && config_.dropout > 0) {
    out = dropout_add(y, config_.residual ? x : at::Tensor(), config_.dropout);
  } else if (config_.residual) {
    out = y + x;
  }
  return config_.normalization == "post" ? norm.forward(out) : out;
}

at::Tensor EncoderLayer::forward(const at::Tensor& x, const Offsets& offsets, bool training,
                                 MixerTrace* trace) const {
  const bool pre = config_.normalization == "pre";
  const auto mixed = mixer_->forward(pre ? mixer_norm_.forward(x) : x, offsets, trace);
  auto y = close_block(x, mixed, mixer_norm_, training);
  if (config_.ffn_width == 0) return y;
  const auto inner = ffn_input_.forward(pre ? ffn_norm_.forward(y) : y);
  const auto active = config_.activation == "gelu" ? at::gelu(inner) : at::relu(inner);
  return close_block(y, ffn_output_.forward(active), ffn_norm_, training);
}

Encoder::Encoder(const EncoderConfig& config, ParameterStore& store, const std::string& name) {
  for (std::int64_t i = 0; i < config.layers; ++i) {
    const auto index = config.shares("layers") ? 0 : i;
    layers_.emplace_back(config, store, name + ".layers." + std::to_string(index));
  }
  if (config.normalization == "pre") {
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

}  // namespace fastformer::nn

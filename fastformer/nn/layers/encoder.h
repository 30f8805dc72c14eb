#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <string>
#include <vector>

#include "fastformer/model/encoder_config.h"
#include "fastformer/nn/layers/layer_norm.h"
#include "fastformer/nn/layers/linear.h"
#include "fastformer/nn/mixers/mixer.h"

namespace fastformer::nn {

/// One encoder layer: the mixer and the feed-forward block, each with dropout, residual and layer
/// normalization as configured:
///   x = norm(x + dropout(mixer(x)));  x = norm(x + dropout(W2 act(W1 x + b1) + b2))      (post)
///   x = x + dropout(mixer(norm(x)));  x = x + dropout(W2 act(W1 norm(x) + b1) + b2)      (pre)
class EncoderLayer {
 public:
  EncoderLayer(const model::EncoderConfig& config, ParameterStore& store, const std::string& name);

  /// x [T, d] -> [T, d]. `training` turns dropout on; it draws from LibTorch's default generator.
  at::Tensor forward(const at::Tensor& x, const Offsets& offsets, bool training,
                     MixerTrace* trace) const;

  /// The same for inference, in place: each finished block of rows overwrites its rows of x.
  void infer(const at::Tensor& x, const Offsets& offsets) const;

 private:
  at::Tensor finish(const at::Tensor& x, const at::Tensor& mixed, bool training) const;
  at::Tensor close_block(const at::Tensor& x, const at::Tensor& y, const LayerNorm& norm,
                         bool training) const;

  model::EncoderConfig config_;
  std::unique_ptr<Mixer> mixer_;
  LayerNorm mixer_norm_, ffn_norm_;
  Linear ffn_input_, ffn_output_;
};

/// A stack of encoder layers. With `share_layers`, all layers use the parameters of layer 0.
class Encoder {
 public:
  Encoder(const model::EncoderConfig& config, ParameterStore& store, const std::string& name);

  /// x [T, d] -> [T, d]. `traces` may be null; otherwise it receives one trace per layer.
  at::Tensor forward(at::Tensor x, const Offsets& offsets, bool training,
                     std::vector<MixerTrace>* traces) const;

  /// The same for inference: overwrites and returns x, with little additional memory.
  at::Tensor infer(const at::Tensor& x, const Offsets& offsets) const;

 private:
  std::vector<EncoderLayer> layers_;
  LayerNorm final_norm_;  // for pre-normalization, which does not normalize the last sum
};

}  // namespace fastformer::nn

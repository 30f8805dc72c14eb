#include "fastformer/nn/softmax_attention.h"

#include "fastformer/nn/projections.h"
#include "fastformer/nn/row_attention.h"

namespace fastformer::nn {

SoftmaxAttention::SoftmaxAttention(const EncoderConfig& config, ParameterStore& store,
                                   const std::string& name)
    : width_(config.width),
      heads_(config.heads),
      causal_(config.causal),
      query_(store, name + ".query", width_, width_),
      key_(store, name + ".key", width_, width_),
      value_(store, name + ".value", width_, width_) {
  if (config.output_projection) output_ = Linear(store, name + ".output", width_, width_);
}

at::Tensor SoftmaxAttention::forward(const at::Tensor& x, const Offsets& offsets,
                                     MixerTrace* /*trace*/) const {
  check_rows(x, offsets);
  const auto parts = project(x, {query_, key_, value_});
  RowBand band;
  if (causal_) band.ahead = 0;
  const auto y = attend_rows(parts[0], parts[1], parts[2], heads_, offsets, offsets, band);
  return output_ ? output_.forward(y) : y;
}

double SoftmaxAttention::multiply_adds(std::int64_t tokens) const {
  const auto n = static_cast<double>(tokens), d = static_cast<double>(width_);
  const double seen = causal_ ? (n + 1) / 2 : n;
  return n * d * ((output_ ? 4 : 3) * d + 2 * seen);
}

}  // namespace fastformer::nn

#include "fastformer/nn/pooling_attention.h"

#include <algorithm>
#include <limits>

#include "fastformer/nn/projections.h"
#include "fastformer/nn/row_attention.h"

namespace fastformer::nn {

PoolingAttention::PoolingAttention(const EncoderConfig& config, ParameterStore& store,
                                   const std::string& name)
    : heads_(config.heads),
      reach_(config.window / 2),
      pooled_reach_(config.pooled_window / 2),
      windows_{config.pooling_kernel, config.pooling_stride},
      kind_(config.pooling),
      residual_(config.pooling_residual == "sum") {
  const auto width = config.width;
  const auto layer = [&](const char* parameter) {
    return Linear(store, name + "." + parameter, width, width);
  };
  query_ = layer("query");
  key_ = layer("key");
  value_ = layer("value");
  pooled_query_ = layer("pooled_query");
  pooled_key_ = layer("pooled_key");
  pooled_value_ = layer("pooled_value");
  if (kind_ == "dynamic") {
    dynamic_ = Linear(store, name + ".dynamic", width, heads_ * windows_.size);
  }
  if (config.output_projection) output_ = layer("output");
}

PoolingAttention::Pooled PoolingAttention::pool_means(const at::Tensor& rows,
                                                      const Offsets& offsets) const {
  const auto weights = mean_weights(offsets, windows_, rows.options());
  const auto means = pool_windows(rows, weights, 1, offsets, windows_);
  const auto parts = project(means.rows, {pooled_key_, pooled_value_});
  return {pooled_query_.forward(means.input), parts[0], parts[1], means.input};
}

PoolingAttention::Pooled PoolingAttention::pool_dynamically(const at::Tensor& rows,
                                                            const Offsets& offsets) const {
  const auto centre = centre_weights(offsets, windows_, rows.options());
  const auto centres = pool_windows(rows, centre, 1, offsets, windows_);
  // Positions past the end, of which the mean knows nothing, are left out of the softmax.
  const auto outside = (mean_weights(offsets, windows_, rows.options()) == 0).unsqueeze(1);
  const auto logits = dynamic_.forward(centres.rows).view({-1, heads_, windows_.size});
  const auto weights =
      at::softmax(logits.masked_fill(outside, -std::numeric_limits<double>::infinity()), 2);
  const auto by_window = weights.reshape({-1, heads_ * windows_.size});
  const auto parts = project(centres.input, {pooled_query_, pooled_key_, pooled_value_});
  const auto pool_part = [&](const at::Tensor& part) {
    return pool_windows(part, by_window, heads_, offsets, windows_).rows;
  };
  return {parts[0], pool_part(parts[1]), pool_part(parts[2]), centres.input};
}

PoolingAttention::Pooled PoolingAttention::pool(const at::Tensor& rows,
                                                const Offsets& offsets) const {
  if (kind_ == "mean") return pool_means(rows, offsets);
  if (kind_ == "dynamic") return pool_dynamically(rows, offsets);
  const auto parts = project(rows, {pooled_query_, pooled_key_, pooled_value_});
  return {parts[0], pool_window_maxima(parts[1], offsets, windows_),
          pool_window_maxima(parts[2], offsets, windows_), rows};
}

at::Tensor PoolingAttention::forward(const at::Tensor& x, const Offsets& offsets,
                                     MixerTrace* /*trace*/) const {
  check_rows(x, offsets);
  const auto parts = project(x, {query_, key_, value_});
  const auto rows = attend_rows(parts[0], parts[1], parts[2], heads_, offsets, offsets,
                                {.behind = reach_, .ahead = reach_});
  const auto pooled = pool(rows, offsets);
  const auto starts = window_offsets(offsets, windows_);
  auto y = attend_rows(pooled.query, pooled.key, pooled.value, heads_, offsets, Offsets(starts),
                       {.behind = pooled_reach_, .ahead = pooled_reach_, .step = windows_.step});
  if (residual_) y = y + pooled.input;
  return output_ ? output_.forward(y) : y;
}

double PoolingAttention::multiply_adds(std::int64_t tokens) const {
  const auto n = static_cast<double>(tokens), d = static_cast<double>(query_.weight.size(0));
  const auto step = static_cast<double>(windows_.step);
  const double near = std::min(n, 2.0 * static_cast<double>(reach_) + 1);
  const double pooled = std::min(n, 2.0 * static_cast<double>(pooled_reach_) + 1) / step;
  const double pooled_layers = kind_ == "mean" ? 2 / step : 2;
  const double projections = 4 + pooled_layers + (output_ ? 1 : 0);
  return n * d * (projections * d + 2 * near + 2 * pooled);
}

}  // namespace fastformer::nn

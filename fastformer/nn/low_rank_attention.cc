#include "fastformer/nn/low_rank_attention.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "fastformer/nn/length_projection.h"
#include "fastformer/nn/projections.h"
#include "fastformer/nn/row_attention.h"

namespace fastformer::nn {
namespace {

// "encoder" of "encoder.layers.0.attention".
std::string encoder_name(const std::string& name) { return name.substr(0, name.find(".layers.")); }

}  // namespace

LowRankAttention::LowRankAttention(const EncoderConfig& config, ParameterStore& store,
                                   const std::string& name)
    : heads_(config.heads),
      rank_(config.projection),
      length_(config.projection_length),
      query_(store, name + ".query", config.width, config.width),
      key_(store, name + ".key", config.width, config.width),
      value_(store, name + ".value", config.width, config.width) {
  const auto& sharing = config.projection_sharing;
  std::vector<std::int64_t> shape = {rank_, length_};
  std::vector<std::string> names = {name + ".key_projection", name + ".value_projection"};
  if (sharing == "none") shape.insert(shape.begin(), heads_);
  if (sharing == "key_value") names = {name + ".length_projection"};
  if (sharing == "layers") names = {encoder_name(name) + ".length_projection"};
  for (const auto& projection : names) {
    // So that what is projected is as large as one row.
    const auto deviation = 1 / std::sqrt(static_cast<double>(length_));
    projections_.push_back(store.normal(projection + ".weight", shape, deviation));
  }
  if (config.output_projection)
    output_ = Linear(store, name + ".output", config.width, config.width);
}

// As the definition has it: keys and values of all tokens, then k rows of each sequence.
LowRankAttention::Attended LowRankAttention::project_rows(const at::Tensor& x,
                                                          const Offsets& offsets) const {
  const auto rows = project(x, {query_, key_, value_});
  const auto shorten = [&](const at::Tensor& all, const at::Tensor& projection) {
    const auto by_group = projection.view({1, -1, rank_, length_});
    return project_lengths(all, by_group, offsets).rows.view({-1, x.size(1)});
  };
  return {rows[0], shorten(rows[1], projections_.front()), shorten(rows[2], projections_.back())};
}

// The other way round, for projections that all heads share.
LowRankAttention::Attended LowRankAttention::project_input(const at::Tensor& x,
                                                           const Offsets& offsets) const {
  std::vector<std::int64_t> lengths;
  for (std::int64_t b = 0; b < offsets.size(); ++b) lengths.push_back(offsets.length(b));
  const auto projections = at::stack(projections_);  // [1 or 2, k, L]
  const auto shortened = project_lengths(x, projections.unsqueeze(1), offsets);
  // E 1 for the first n columns of E: [1 or 2, k, B]
  const auto sums = at::constant_pad_nd(projections.cumsum(2), {1, 0})
                        .index_select(2, at::tensor(lengths, at::kLong));
  const auto layer = [&](const Linear& linear, std::int64_t set) {
    const auto rows = affine(shortened.rows.select(0, set).reshape({-1, x.size(1)}), linear.weight,
                             {}, token_operands());
    return at::addr(rows, sums.select(0, set).t().reshape({-1}), linear.bias);
  };
  const auto last = static_cast<std::int64_t>(projections_.size()) - 1;
  return {query_.forward(shortened.input), layer(key_, 0), layer(value_, last)};
}

at::Tensor LowRankAttention::forward(const at::Tensor& x, const Offsets& offsets,
                                     MixerTrace* /*trace*/) const {
  check_rows(x, offsets);
  std::vector<std::int64_t> row_offsets = {0};
  for (std::int64_t b = 0; b < offsets.size(); ++b) {
    if (offsets.length(b) > length_) {
      throw std::invalid_argument(
          "a sequence of " + std::to_string(offsets.length(b)) +
          " tokens is longer than model.projection_length = " + std::to_string(length_) +
          "; cut the texts or train with a longer projection");
    }
    row_offsets.push_back(row_offsets.back() + rank_);
  }
  const bool shared = projections_.front().dim() == 2;
  const bool pays = offsets.total() > rank_ * offsets.size();
  const auto [query, key, value] =
      shared && pays ? project_input(x, offsets) : project_rows(x, offsets);
  const auto y = attend_rows(query, key, value, heads_, offsets, Offsets(row_offsets));
  return output_ ? output_.forward(y) : y;
}

// Counted in the order that costs least, which is also the one that runs.
double LowRankAttention::multiply_adds(std::int64_t tokens) const {
  const auto n = static_cast<double>(tokens), d = static_cast<double>(query_.weight.size(0));
  const auto k = static_cast<double>(rank_);
  const double projected_rows = projections_[0].dim() == 2 ? std::min(n, k) : n;
  const double lengths = static_cast<double>(projections_.size()) * n * k * d;
  return (output_ ? 2 : 1) * n * d * d + 2 * projected_rows * d * d + lengths + 2 * n * k * d;
}

}  // namespace fastformer::nn

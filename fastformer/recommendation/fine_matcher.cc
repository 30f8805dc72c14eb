#include "fastformer/recommendation/fine_matcher.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "fastformer/nn/layers/cube_convolution.h"

namespace fastformer::recommendation {
namespace {

constexpr std::int64_t kKernel = 3;
constexpr std::array<std::int64_t, 3> kCubeChannels = {4, 32, 16};

// The weights keep the size of what passes through a relu (He et al., arXiv 1502.01852).
nn::Linear convolution(nn::ParameterStore& store, const std::string& name,
                       const std::vector<std::int64_t>& shape) {
  double inputs = 1;
  for (std::size_t i = 1; i < shape.size(); ++i) inputs *= static_cast<double>(shape[i]);
  nn::Linear layer;
  layer.weight = store.normal(name + ".weight", shape, std::sqrt(2 / inputs));
  layer.bias = store.constant(name + ".bias", {shape[0]}, 0);
  return layer;
}

// The side of the cube after two poolings by 3.
std::int64_t pooled_size(std::int64_t size) { return (size + 8) / 9; }

// For each of the first `places` positions of each sequence its row of x, or past the end of the
// sequence the row after the last one, which is zero.
std::vector<std::int64_t> place_rows(const nn::Offsets& offsets, std::int64_t places,
                                     std::int64_t zero_row) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(offsets.size() * places), zero_row);
  for (std::int64_t b = 0; b < offsets.size(); ++b) {
    for (std::int64_t i = 0; i < std::min(offsets.length(b), places); ++i) {
      rows[static_cast<std::size_t>(b * places + i)] = offsets.begin_of(b) + i;
    }
  }
  return rows;
}

at::Tensor with_zero_row(const at::Tensor& x) {
  return at::cat({x, at::zeros({1, x.size(1)}, x.options().requires_grad(false))});
}

}  // namespace

FineMatcher::FineMatcher(const ModelConfig& config, nn::ParameterStore& store)
    : width_(config.encoder.width),
      filters_(config.filters),
      words_(config.matched_words),
      items_(config.matched_items) {
  for (std::size_t l = 0; l < levels_.size(); ++l) {
    const auto name = "levels." + std::to_string(l + 1);
    const auto in = l == 0 ? width_ : filters_;
    levels_[l] = {convolution(store, name + ".convolution", {filters_, in, kKernel}),
                  nn::LayerNorm(store, name + ".normalization", filters_)};
  }
  for (std::size_t i = 0; i < cube_.size(); ++i) {
    cube_[i] = convolution(store, "cube." + std::to_string(i),
                           {kCubeChannels[i + 1], kCubeChannels[i], kKernel, kKernel, kKernel});
  }
  const auto side = pooled_size(words_);
  score_ = nn::Linear(store, "score", kCubeChannels[2] * pooled_size(items_) * side * side, 1);
}

at::Tensor FineMatcher::encode_items(at::Tensor x, const nn::Offsets& offsets,
                                     bool /*training*/) const {
  const auto rows = place_rows(offsets, words_, x.size(0));
  auto level = select_rows(with_zero_row(x), rows).view({offsets.size(), words_, width_});
  std::vector<at::Tensor> levels = {level};
  auto present = at::empty({offsets.size(), words_, 1}, x.options().requires_grad(false));
  for (std::int64_t n = 0; n < offsets.size(); ++n) {
    present[n].fill_(0).narrow(0, 0, std::min(words_, offsets.length(n))).fill_(1);
  }
  for (std::size_t l = 0; l < levels_.size(); ++l) {
    const auto dilation = static_cast<std::int64_t>(l) + 1;
    const auto& [layer, normalization] = levels_[l];
    const auto convolved = at::relu(at::conv1d(level.transpose(1, 2), layer.weight, layer.bias,
                                               /*stride=*/1, /*padding=*/dilation, dilation));
    const auto flat = convolved.transpose(1, 2).reshape({offsets.size() * words_, filters_});
    level = normalization.forward(flat).view({offsets.size(), words_, filters_}) * present;
    levels.push_back(level);
  }
  return at::cat(levels, 2).view({offsets.size(), words_ * levels_width()});
}

// history [m, e] and candidates [k, e] -> [k * m, words_, words_, 4].
at::Tensor FineMatcher::matches(const at::Tensor& history, const at::Tensor& candidates) const {
  const auto items = history.size(0), count = candidates.size(0);
  const auto clicked = history.view({items * words_, levels_width()});
  const auto shown = candidates.view({count * words_, levels_width()});
  std::vector<std::int64_t> widths(kLevels + 1, filters_);
  widths[0] = width_;
  const auto left = clicked.split_with_sizes(widths, 1), right = shown.split_with_sizes(widths, 1);
  std::vector<at::Tensor> channels;
  for (std::size_t l = 0; l < widths.size(); ++l) {
    const auto products = at::matmul(left[l], right[l].t() / std::sqrt(widths[l]));
    channels.push_back(products.view({items, words_, count, words_}).permute({2, 0, 1, 3}));
  }
  return at::stack(channels, -1).view({count * items, words_, words_, kLevels + 1});
}

// The slices of C cubes -> [C].
at::Tensor FineMatcher::aggregate(const at::Tensor& slices, const nn::Offsets& offsets) const {
  const auto cubes = offsets.size();
  const auto once = nn::convolve_cubes(slices, offsets, items_, cube_[0].weight, cube_[0].bias);
  const auto depth = once.size(1);
  std::vector<std::int64_t> whole;
  for (std::int64_t i = 0; i <= cubes; ++i) whole.push_back(i * depth);
  const auto twice = nn::convolve_cubes(once.flatten(0, 1), nn::Offsets(whole), depth,
                                        cube_[1].weight, cube_[1].bias);
  return score_.forward(twice.permute({0, 4, 1, 2, 3}).flatten(1)).squeeze(1);
}

at::Tensor FineMatcher::score(const at::Tensor& items, const ItemLists& histories,
                              const ItemLists& candidates, bool /*training*/) const {
  if (candidates.offsets.total() == 0) return at::zeros({0}, items.options());
  const auto users = candidates.offsets.size();
  std::vector<std::int64_t> rows, kept, shown, offsets = {0};
  for (std::int64_t b = 0; b < users; ++b) {
    kept.push_back(std::min(histories.offsets.length(b), items_));
    const auto history = histories.rows.first(histories.offsets.values()[b + 1]);
    const auto last = history.last(kept.back());
    rows.insert(rows.end(), last.begin(), last.end());
    shown.push_back(candidates.offsets.length(b));
    for (std::int64_t i = 0; i < shown.back(); ++i) offsets.push_back(offsets.back() + kept.back());
  }
  const auto history = select_rows(items, rows).split_with_sizes(kept);
  const auto candidate = select_rows(items, candidates.rows).split_with_sizes(shown);
  std::vector<at::Tensor> slices;
  for (std::int64_t b = 0; b < users; ++b) slices.push_back(matches(history[b], candidate[b]));
  return aggregate(at::cat(slices), nn::Offsets(offsets));
}

}  // namespace fastformer::recommendation

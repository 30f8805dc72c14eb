#include "fastformer/tasks/fine_matcher.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace fastformer::tasks {
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

// What two poolings leave of a side of the cube.
std::int64_t pooled_size(std::int64_t size) {
  const auto once = (size + kKernel - 1) / kKernel;
  return (once + kKernel - 1) / kKernel;
}

// For each of `places` places of each sequence the row of x that stands there, or the row behind
// the last, which is zero. `last`: the end of a long sequence is kept, not its beginning.
std::vector<std::int64_t> place_rows(const nn::Offsets& offsets, std::int64_t places,
                                     std::int64_t zero_row, bool last) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(offsets.size() * places), zero_row);
  for (std::int64_t b = 0; b < offsets.size(); ++b) {
    const auto kept = std::min(offsets.length(b), places);
    const auto first = offsets.begin_of(b) + (last ? offsets.length(b) - kept : 0);
    for (std::int64_t i = 0; i < kept; ++i) {
      rows[static_cast<std::size_t>(b * places + i)] = first + i;
    }
  }
  return rows;
}

at::Tensor with_zero_row(const at::Tensor& x) {
  return at::cat({x, at::zeros({1, x.size(1)}, x.options().requires_grad(false))});
}

}  // namespace

FineMatcher::FineMatcher(const RecommenderConfig& config, nn::ParameterStore& store)
    : width_(config.encoder.width),
      filters_(config.filters),
      words_(config.matched_words),
      news_(config.matched_news) {
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
  score_ = nn::Linear(store, "score", kCubeChannels[2] * pooled_size(news_) * side * side, 1);
}

at::Tensor FineMatcher::encode_news(at::Tensor x, const nn::Offsets& offsets,
                                    bool /*training*/) const {
  const auto rows = place_rows(offsets, words_, x.size(0), /*last=*/false);
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

// history [news_, e] and candidates [k, e] -> [k, 4, news_, words_, words_].
at::Tensor FineMatcher::matches(const at::Tensor& history, const at::Tensor& candidates) const {
  const auto count = candidates.size(0);
  const auto clicked = history.view({news_ * words_, levels_width()});
  const auto shown = candidates.view({count * words_, levels_width()});
  std::vector<at::Tensor> channels;
  for (std::int64_t l = 0, first = 0; l <= kLevels; ++l) {
    const auto width = l == 0 ? width_ : filters_;
    const auto products =
        at::matmul(clicked.narrow(1, first, width), shown.narrow(1, first, width).t());
    channels.push_back(products.view({news_, words_, count, words_}).permute({2, 0, 1, 3}) /
                       std::sqrt(static_cast<double>(width)));
    first += width;
  }
  return at::stack(channels, 1);
}

// [C, 4, news_, words_, words_] -> [C].
at::Tensor FineMatcher::aggregate(at::Tensor cube) const {
  for (const auto& layer : cube_) {
    cube = at::relu(at::conv3d(cube, layer.weight, layer.bias, /*stride=*/1, /*padding=*/1));
    cube = at::max_pool3d(cube, kKernel, /*stride=*/kKernel, /*padding=*/0, /*dilation=*/1,
                          /*ceil_mode=*/true);
  }
  return score_.forward(cube.flatten(1)).squeeze(1);
}

at::Tensor FineMatcher::score(const at::Tensor& news, const NewsLists& histories,
                              const NewsLists& candidates, bool /*training*/) const {
  const auto places =
      place_rows(histories.offsets, news_, static_cast<std::int64_t>(histories.rows.size()),
                 /*last=*/true);
  const auto clicked = with_zero_row(select_rows(news, histories.rows));
  const auto shown = select_rows(news, candidates.rows);
  std::vector<at::Tensor> cubes;
  for (std::int64_t b = 0; b < candidates.offsets.size(); ++b) {
    const auto first = static_cast<std::size_t>(b * news_);
    const auto history =
        select_rows(clicked, std::span(places).subspan(first, static_cast<std::size_t>(news_)));
    cubes.push_back(matches(
        history, shown.narrow(0, candidates.offsets.begin_of(b), candidates.offsets.length(b))));
  }
  if (cubes.empty()) return at::zeros({0}, news.options());
  return aggregate(at::cat(cubes));
}

}  // namespace fastformer::tasks

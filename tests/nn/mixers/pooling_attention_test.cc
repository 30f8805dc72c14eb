#include "fastformer/nn/mixers/pooling_attention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <tuple>

#include "nn/mixers/mixer_check.h"

namespace fastformer::nn {
namespace {

struct Windows {
  std::int64_t window, pooled_window, kernel, stride;
};

model::EncoderConfig config_of(PoolingKind pooling, const Windows& windows) {
  model::EncoderConfig config;
  config.mixer = model::MixerConfig("pooling");
  config.mixer.fields<PoolingFields>() = {.window = windows.window,
                                          .pooled_window = windows.pooled_window,
                                          .kernel = windows.kernel,
                                          .stride = windows.stride,
                                          .pooling = pooling};
  config.width = 24;
  config.heads = 2;
  return config;
}

// Attention of queries [h, n, e] to rows [h, r, e] where attended [n, r] is true.
at::Tensor attend(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                  const at::Tensor& attended) {
  const auto scale = std::sqrt(static_cast<double>(query.size(2)));
  const auto logits = at::matmul(query, key.transpose(1, 2)) / scale;
  const auto hidden = logits.masked_fill(attended.logical_not(), -INFINITY);
  return at::matmul(at::softmax(hidden, 2), value);
}

// Pools keys or values [h, n, e] window by window; `rows` is A.
at::Tensor pool(const model::EncoderConfig& config, const ParameterMap& parameters,
                const at::Tensor& rows, const at::Tensor& part) {
  std::vector<at::Tensor> pooled;
  const auto& fields = config.mixer.fields<PoolingFields>();
  const auto n = rows.size(0), kernel = fields.kernel;
  for (std::int64_t first = 0; first < n; first += fields.stride) {
    const auto covered = std::min(kernel, n - first);
    const auto window = part.narrow(1, first, covered);
    if (fields.pooling == PoolingKind::kMean) {
      pooled.push_back(window.mean(1));
    } else if (fields.pooling == PoolingKind::kMax) {
      pooled.push_back(std::get<0>(window.max(1)));
    } else {
      const auto centre = rows.narrow(0, std::min(first + kernel / 2, n - 1), 1);
      const auto logits = apply_linear(parameters, "dynamic", centre).view({config.heads, kernel});
      const auto weights = at::softmax(logits.narrow(1, 0, covered), 1);
      pooled.push_back((weights.unsqueeze(2) * window).sum(1));
    }
  }
  return at::stack(pooled, 1);
}

Definition pooling_definition(const model::EncoderConfig& config) {
  return [config](const at::Tensor& x, const ParameterMap& parameters) {
    const auto& fields = config.mixer.fields<PoolingFields>();
    const auto n = x.size(0);
    if (n == 0) return x;
    const auto part = [&](const std::string& name, const at::Tensor& rows) {
      return split_heads(apply_linear(parameters, name, rows), config.heads);
    };
    const auto token = at::arange(n).unsqueeze(1);
    const auto near = (token - at::arange(n)).abs() <= fields.window / 2;
    const auto rows = join_heads(attend(part("query", x), part("key", x), part("value", x), near));

    const auto stride = fields.stride;
    const auto starts = at::arange(0, n, stride);
    auto attended = (token - starts).abs() <= fields.pooled_window / 2;
    const auto own = at::floor_divide(token, stride) == at::arange(starts.size(0));
    attended =
        attended.logical_or(own.logical_and(attended.any(1, /*keepdim=*/true).logical_not()));
    const auto key = pool(config, parameters, rows, part("pooled_key", rows));
    const auto value = pool(config, parameters, rows, part("pooled_value", rows));
    auto y = join_heads(attend(part("pooled_query", rows), key, value, attended));
    if (fields.residual) y = y + rows;
    return config.output_projection ? apply_linear(parameters, "output", y) : y;
  };
}

class PoolingAttentionMixer : public ::testing::TestWithParam<PoolingKind> {};

TEST_P(PoolingAttentionMixer, EqualsTheDefinition) {
  for (const auto& windows : {Windows{8, 32, 5, 4},
                              {64, 256, 5, 4},
                              {3, 9, 2, 3},
                              {31, 64, 7, 2},
                              {2, 6, 1, 1},
                              {1000, 1000, 8, 8},
                              {7, 40, 300, 3}}) {
    const auto config = config_of(GetParam(), windows);
    expect_definition(config, kRaggedLengths, pooling_definition(config));
  }
}

// Where the second window is shorter than a stride, some tokens have none of its rows near them.
TEST_P(PoolingAttentionMixer, ATokenWithoutPooledRowsNearItSeesTheLastBeforeIt) {
  for (const auto& windows : {Windows{8, 2, 3, 4}, {8, 0, 3, 4}, {0, 5, 2, 9}, {4, 6, 5, 130}}) {
    const auto config = config_of(GetParam(), windows);
    expect_definition(config, {1, 40, 0, 131, 259, 9}, pooling_definition(config));
  }
}

TEST_P(PoolingAttentionMixer, WithoutResidualAndOutputAndWithOneHead) {
  auto config = config_of(GetParam(), {8, 32, 5, 4});
  config.mixer.fields<PoolingFields>().residual = false;
  expect_definition(config, kRaggedLengths, pooling_definition(config));
  config.output_projection = false;
  config.width = 160;
  config.heads = 1;
  expect_definition(config, {65, 290, 0, 7}, pooling_definition(config));
}

TEST_P(PoolingAttentionMixer, RepeatsAndKeepsSequencesApart) {
  expect_repeatable_and_apart(config_of(GetParam(), {8, 32, 5, 4}), kRaggedLengths);
}

TEST_P(PoolingAttentionMixer, AnEmptyBatchGivesNoRows) {
  for (const auto& lengths : {Lengths{}, Lengths{0, 0}}) {
    const auto result = MixerCase(config_of(GetParam(), {8, 32, 5, 4}), lengths, at::kFloat).run();
    EXPECT_EQ(result.y.sizes(), at::IntArrayRef({0, 24}));
    EXPECT_EQ(result.gradients.at("x").sizes(), at::IntArrayRef({0, 24}));
  }
}

INSTANTIATE_TEST_SUITE_P(All, PoolingAttentionMixer,
                         ::testing::Values(PoolingKind::kMean, PoolingKind::kMax,
                                           PoolingKind::kDynamic));

}  // namespace
}  // namespace fastformer::nn

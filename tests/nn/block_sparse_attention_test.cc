#include "fastformer/nn/block_sparse_attention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#include "fastformer/base/random.h"
#include "nn/mixer_check.h"

namespace fastformer::nn {
namespace {

struct Shape {
  std::int64_t block_size, window, global_tokens, random_tokens;
  const char* global_kind = "internal";
};

EncoderConfig config_of(const Shape& shape) {
  EncoderConfig config;
  config.mixer = "block_sparse";
  config.width = 24;
  config.heads = 2;
  config.block_size = shape.block_size;
  config.window = shape.window;
  config.global_tokens = shape.global_tokens;
  config.random_tokens = shape.random_tokens;
  config.global_kind = shape.global_kind;
  return config;
}

std::int64_t blocks(std::int64_t tokens, const EncoderConfig& config) {
  return (tokens + config.block_size - 1) / config.block_size;
}

// Which blocks of `count` each block sees in one head, [count, count].
at::Tensor seen_blocks(const EncoderConfig& config, std::int64_t head, std::int64_t count) {
  const auto side =
      std::max<std::int64_t>(1, (config.window + config.block_size / 2) / config.block_size / 2);
  const auto global =
      config.global_kind == std::string("internal") ? blocks(config.global_tokens, config) : 0;
  const auto seed =
      base::mix64(static_cast<std::uint64_t>(config.random_seed) + base::fnv1a(MixerCase::kName));
  const BlockPattern pattern{config.block_size, side, global, blocks(config.random_tokens, config),
                             seed};
  auto seen = at::zeros({count, count}, at::kBool);
  for (std::int64_t block = 0; block < count; ++block) {
    for (std::int64_t other = 0; other < count; ++other) {
      if (std::abs(block - other) <= side || block < global || other < global) {
        seen[block][other] = true;
      }
    }
    if (block < global) continue;
    for (const auto other : pattern.random_blocks(block, head, count)) seen[block][other] = true;
  }
  return seen;
}

// The n x n weights of each head with what is not seen left out.
Definition block_sparse_definition(const EncoderConfig& config) {
  return [config](const at::Tensor& x, const ParameterMap& parameters) {
    const auto n = x.size(0), count = blocks(n, config);
    const bool external = config.global_kind == std::string("external");
    const auto extra = external ? parameters.at("global_rows") : x.new_empty({0, config.width});
    const auto place =
        at::arange(n).div(config.block_size, /*rounding_mode=*/"floor").to(at::kLong);
    std::vector<at::Tensor> masks;
    for (std::int64_t head = 0; head < config.heads; ++head) {
      const auto tokens =
          seen_blocks(config, head, count).index_select(0, place).index_select(1, place);
      masks.push_back(at::cat({at::ones({n, extra.size(0)}, at::kBool), tokens}, 1));
    }
    const auto part = [&](const std::string& name, const at::Tensor& rows) {
      return split_heads(apply_linear(parameters, name, rows), config.heads);
    };
    const auto rows = at::cat({extra, x});
    const auto scale = std::sqrt(static_cast<double>(config.width / config.heads));
    const auto logits = at::matmul(part("query", x), part("key", rows).transpose(1, 2)) / scale;
    const auto hidden = at::stack(masks).logical_not();
    const auto weights =
        at::softmax(logits.masked_fill(hidden, -std::numeric_limits<double>::infinity()), 2);
    return apply_linear(parameters, "output", join_heads(at::matmul(weights, part("value", rows))));
  };
}

class BlockSparseMixer : public ::testing::TestWithParam<Shape> {};

TEST_P(BlockSparseMixer, EqualsTheDefinition) {
  auto config = config_of(GetParam());
  expect_definition(config, kRaggedLengths, block_sparse_definition(config));
  config.random_seed = 12345;
  config.heads = 8;
  expect_definition(config, {128, 129, 127, 257}, block_sparse_definition(config));
}

TEST_P(BlockSparseMixer, RepeatsAndKeepsSequencesApart) {
  expect_repeatable_and_apart(config_of(GetParam()), {70, 3, 0, 300, 1});
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, BlockSparseMixer,
    ::testing::Values(Shape{16, 64, 8, 8}, Shape{16, 64, 20, 40}, Shape{16, 0, 0, 0},
                      Shape{1, 5, 2, 3}, Shape{5, 14, 7, 11}, Shape{7, 28, 0, 1000},
                      Shape{64, 64, 64, 64}, Shape{1000, 8, 8, 8}, Shape{16, 64, 8, 8, "external"},
                      Shape{3, 9, 1, 4, "external"}, Shape{16, 64, 100, 0, "external"}));

TEST(BlockSparseMixer, CountsThePairsThatItSees) {
  auto config = config_of({16, 16, 16, 16});
  config.output_projection = false;
  ParameterStore store(1);
  const BlockSparseAttention mixer(config, store, "a");
  // Of ten blocks the first sees all. The others see it, themselves, a neighbour on each side and a
  // random one; for the second the first is a neighbour, and the last has one neighbour.
  const double blocks_seen = 10 + 4 + 7 * 5 + 4;
  EXPECT_EQ(mixer.multiply_adds(160), 3.0 * 160 * 24 * 24 + 2 * blocks_seen * 16 * 16 * 24);
}

TEST(BlockSparseMixer, NeedsAnExternalRow) {
  EXPECT_NO_THROW(config_of({16, 64, 0, 8}).validate());
  EXPECT_THROW(config_of({16, 64, 0, 8, "external"}).validate(), std::invalid_argument);
}

}  // namespace
}  // namespace fastformer::nn

#include "fastformer/nn/mixers/block_sparse_attention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#include "fastformer/base/random.h"
#include "nn/mixers/mixer_check.h"

namespace fastformer::nn {
namespace {

struct BlockShape {
  std::int64_t block_size, window, global_tokens, random_tokens;
  GlobalKind global_kind = GlobalKind::kInternal;
};

model::EncoderConfig config_of(const BlockShape& shape) {
  model::EncoderConfig config;
  config.mixer = model::MixerConfig("block_sparse");
  config.mixer.fields<BlockSparseFields>() = {.window = shape.window,
                                              .block_size = shape.block_size,
                                              .global_tokens = shape.global_tokens,
                                              .random_tokens = shape.random_tokens,
                                              .global_kind = shape.global_kind};
  config.width = 24;
  config.heads = 2;
  return config;
}

std::int64_t blocks(std::int64_t tokens, const BlockSparseFields& fields) {
  return (tokens + fields.block_size - 1) / fields.block_size;
}

// To which blocks of `count` each block attends in one head, [count, count].
at::Tensor attended_blocks(const BlockSparseFields& fields, std::int64_t head, std::int64_t count) {
  const auto side =
      std::max<std::int64_t>(1, (fields.window + fields.block_size / 2) / fields.block_size / 2);
  const auto global =
      fields.global_kind == GlobalKind::kInternal ? blocks(fields.global_tokens, fields) : 0;
  const auto seed =
      base::mix64(static_cast<std::uint64_t>(fields.random_seed) + base::fnv1a(MixerCase::kName));
  const BlockPattern pattern{fields.block_size, side, global, blocks(fields.random_tokens, fields),
                             seed};
  auto attended = at::zeros({count, count}, at::kBool);
  for (std::int64_t block = 0; block < count; ++block) {
    for (std::int64_t other = 0; other < count; ++other) {
      if (std::abs(block - other) <= side || block < global || other < global) {
        attended[block][other] = true;
      }
    }
    if (block < global) continue;
    for (const auto other : pattern.random_blocks(block, head, count))
      attended[block][other] = true;
  }
  return attended;
}

// The masked n x n weights of each head.
Definition block_sparse_definition(const model::EncoderConfig& config) {
  return [config](const at::Tensor& x, const ParameterMap& parameters) {
    const auto& fields = config.mixer.fields<BlockSparseFields>();
    const auto n = x.size(0), count = blocks(n, fields);
    const bool external = fields.global_kind == GlobalKind::kExternal;
    const auto extra = external ? parameters.at("global_rows") : x.new_empty({0, config.width});
    const auto place =
        at::arange(n).div(fields.block_size, /*rounding_mode=*/"floor").to(at::kLong);
    std::vector<at::Tensor> masks;
    for (std::int64_t head = 0; head < config.heads; ++head) {
      const auto tokens =
          attended_blocks(fields, head, count).index_select(0, place).index_select(1, place);
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

class BlockSparseMixer : public ::testing::TestWithParam<BlockShape> {};

TEST_P(BlockSparseMixer, EqualsTheDefinition) {
  auto config = config_of(GetParam());
  expect_definition(config, kRaggedLengths, block_sparse_definition(config));
  config.mixer.fields<BlockSparseFields>().random_seed = 12345;
  config.heads = 8;
  expect_definition(config, {128, 129, 127, 257}, block_sparse_definition(config));
}

TEST_P(BlockSparseMixer, RepeatsAndKeepsSequencesApart) {
  expect_repeatable_and_apart(config_of(GetParam()), {70, 3, 0, 300, 1});
}

INSTANTIATE_TEST_SUITE_P(Shapes, BlockSparseMixer,
                         ::testing::ValuesIn(std::vector<BlockShape>{
                             {16, 64, 8, 8},
                             {16, 64, 20, 40},
                             {16, 0, 0, 0},
                             {1, 5, 2, 3},
                             {5, 14, 7, 11},
                             {7, 28, 0, 1000},
                             {64, 64, 64, 64},
                             {1000, 8, 8, 8},
                             {16, 64, 8, 8, GlobalKind::kExternal},
                             {3, 9, 1, 4, GlobalKind::kExternal},
                             {16, 64, 100, 0, GlobalKind::kExternal}}));

TEST(BlockSparseMixer, CountsThePairsOfTokens) {
  auto config = config_of(BlockShape{16, 16, 16, 16});
  config.output_projection = false;
  ParameterStore store(1);
  const auto mixer = make_mixer(config.mixer, config.mixer_shape(), store, "a");
  // Of ten blocks the first attends to all. The others attend to it, themselves, a neighbour on
  // each side and a random one; for the second the first is a neighbour, and the last has one
  // neighbour.
  const double blocks_seen = 10 + 4 + 7 * 5 + 4;
  EXPECT_EQ(mixer->multiply_adds(160), 3.0 * 160 * 24 * 24 + 2 * blocks_seen * 16 * 16 * 24);
}

TEST(BlockSparseMixer, NeedsAnExternalRow) {
  EXPECT_NO_THROW(config_of(BlockShape{16, 64, 0, 8}).validate());
  EXPECT_THROW(config_of(BlockShape{16, 64, 0, 8, GlobalKind::kExternal}).validate(),
               std::invalid_argument);
}

}  // namespace
}  // namespace fastformer::nn

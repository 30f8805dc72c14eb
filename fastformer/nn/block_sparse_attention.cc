#include "fastformer/nn/block_sparse_attention.h"

#include <algorithm>
#include <vector>

#include "fastformer/base/random.h"
#include "fastformer/nn/block_attention.h"
#include "fastformer/nn/projections.h"

namespace fastformer::nn {
namespace {

BlockPattern pattern_of(const EncoderConfig& config, const std::string& name) {
  BlockPattern pattern{.size = config.block_size};
  const auto window = (config.window + config.block_size / 2) / config.block_size;
  pattern.side = std::max<std::int64_t>(1, window / 2);
  if (config.global_kind == "internal") pattern.global = pattern.blocks(config.global_tokens);
  pattern.random = pattern.blocks(config.random_tokens);
  pattern.seed = base::mix64(static_cast<std::uint64_t>(config.random_seed) + base::fnv1a(name));
  return pattern;
}

}  // namespace

BlockSparseAttention::BlockSparseAttention(const EncoderConfig& config, ParameterStore& store,
                                           const std::string& name)
    : width_(config.width),
      heads_(config.heads),
      pattern_(pattern_of(config, name)),
      query_(store, name + ".query", width_, width_),
      key_(store, name + ".key", width_, width_),
      value_(store, name + ".value", width_, width_) {
  if (config.output_projection) output_ = Linear(store, name + ".output", width_, width_);
  if (config.global_kind == "external") {
    global_rows_ = store.normal(name + ".global_rows", {config.global_tokens, width_});
  }
}

at::Tensor BlockSparseAttention::forward(const at::Tensor& x, const Offsets& offsets,
                                         MixerTrace* /*trace*/) const {
  check_rows(x, offsets);
  const auto parts = project(x, {query_, key_, value_});
  const auto extra = global_rows_.defined() ? project(global_rows_, {key_, value_})
                                            : std::vector<at::Tensor>(2, x.new_empty({0, width_}));
  const auto y =
      attend_blocks(parts[0], parts[1], parts[2], extra[0], extra[1], heads_, offsets, pattern_);
  return output_ ? output_.forward(y) : y;
}

double BlockSparseAttention::multiply_adds(std::int64_t tokens) const {
  const auto d = static_cast<double>(width_), n = static_cast<double>(tokens);
  const auto extra = static_cast<double>(global_rows_.defined() ? global_rows_.size(0) : 0);
  double seen = n * extra;
  for (std::int64_t block = 0; block < pattern_.blocks(tokens); ++block) {
    const auto first = block * pattern_.size;
    const auto rows = std::min(pattern_.size, tokens - first);
    for (const auto& range : pattern_.seen_tokens(block, 0, tokens)) {
      seen += static_cast<double>(rows * (range.end - range.begin));
    }
  }
  return d * d * ((output_ ? 4 : 3) * n + 2 * extra) + 2 * seen * d;
}

}  // namespace fastformer::nn

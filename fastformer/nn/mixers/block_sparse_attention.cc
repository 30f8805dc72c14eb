#include "fastformer/nn/mixers/block_sparse_attention.h"

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "fastformer/base/random.h"

namespace fastformer::nn {
namespace {

BlockPattern pattern_of(const BlockSparseFields& fields, const std::string& name) {
  BlockPattern pattern{.size = fields.block_size};
  const auto window = (fields.window + fields.block_size / 2) / fields.block_size;
  pattern.side = std::max<std::int64_t>(1, window / 2);
  if (fields.global_kind == GlobalKind::kInternal) {
    pattern.global = pattern.blocks(fields.global_tokens);
  }
  pattern.random = pattern.blocks(fields.random_tokens);
  pattern.seed = base::mix64(static_cast<std::uint64_t>(fields.random_seed) + base::fnv1a(name));
  return pattern;
}

}  // namespace

void BlockSparseFields::visit_fields(base::FieldVisitor& visit) {
  visit("window", window, "window: number of neighbouring tokens to attend to, half on each side",
        base::between(0, 1 << 20));
  visit("block_size", block_size,
        "block size in tokens; window, global and random tokens are rounded to whole blocks",
        base::between(1, 1 << 20));
  visit("global_tokens", global_tokens,
        "number of first tokens that attend to all tokens, and to which all tokens attend",
        base::between(0, 1 << 20));
  visit("random_tokens", random_tokens, "number of random tokens to attend to, per block",
        base::between(0, 1 << 20));
  visit("random_seed", random_seed, "seed of random_tokens", base::at_least(0));
  visit("global_kind", global_kind,
        "global tokens: the first tokens (internal), or trained vectors before them (external)");
}

void BlockSparseFields::validate() const {
  if (global_kind == GlobalKind::kExternal && global_tokens == 0) {
    throw std::invalid_argument(
        "mixer.global_kind = external needs mixer.global_tokens of at least 1; without global "
        "tokens choose internal");
  }
}

BlockSparseAttention::BlockSparseAttention(const model::MixerShape& shape,
                                           const BlockSparseFields& fields, ParameterStore& store,
                                           const std::string& name)
    : width_(shape.width),
      heads_(shape.heads),
      pattern_(pattern_of(fields, name)),
      query_(store, name + ".query", width_, width_),
      key_(store, name + ".key", width_, width_),
      value_(store, name + ".value", width_, width_) {
  if (shape.output_projection) output_ = Linear(store, name + ".output", width_, width_);
  if (fields.global_kind == GlobalKind::kExternal) {
    global_rows_ = store.normal(name + ".global_rows", {fields.global_tokens, width_});
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
  double attended = n * extra;
  for (std::int64_t block = 0; block < pattern_.blocks(tokens); ++block) {
    const auto first = block * pattern_.size;
    const auto rows = std::min(pattern_.size, tokens - first);
    for (const auto& range : pattern_.attended_tokens(block, 0, tokens)) {
      attended += static_cast<double>(rows * (range.end - range.begin));
    }
  }
  return d * d * ((output_ ? 4 : 3) * n + 2 * extra) + 2 * attended * d;
}

}  // namespace fastformer::nn

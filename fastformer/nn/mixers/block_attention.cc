#include "fastformer/nn/mixers/block_attention.h"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "fastformer/base/random.h"
#include "fastformer/kernels/row_blocks.h"

namespace fastformer::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

struct BlockLayout {
  std::vector<std::int64_t> offsets;
  BlockPattern pattern;
  std::int64_t width, heads, extra;

  std::int64_t sequences() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
  std::int64_t head_width() const { return width / heads; }
  // Largest number of keys of a sequence, and so of a unit of work.
  std::int64_t most_keys() const {
    std::int64_t most = 0;
    for (std::int64_t b = 0; b < sequences(); ++b) {
      most = std::max(most, offsets[b + 1] - offsets[b]);
    }
    return most + extra;
  }
};

// One head of one sequence. Its keys and values are copied to contiguous rows, the extra ones
// first, because each is read for many blocks of queries.
template <class Real>
struct BlockUnit {
  using Rows = kernels::HeadRows<Real>;
  using ConstRows = kernels::HeadRows<const Real>;

  BlockUnit(const BlockLayout& the_layout, std::int64_t sequence, std::int64_t the_head)
      : layout(the_layout),
        head(the_head),
        token(layout.offsets[sequence]),
        tokens(layout.offsets[sequence + 1] - token),
        extra_row(sequence * layout.extra) {}

  // This head's columns of a matrix [., d], from a row on.
  template <class Data>
  kernels::HeadRows<Data> columns(Data* data, std::int64_t row) const {
    return {data + row * layout.width + head * layout.head_width(), layout.width};
  }
  template <class Data>
  Data* statistics(Data* data) const {
    return data + 2 * (head * layout.offsets.back() + token);
  }
  Rows copied(Real* copy, std::int64_t row) const {
    return {copy + row * layout.head_width(), layout.head_width()};
  }

  ConstRows gather(const Real* data, const Real* extra, Real* copy) const {
    kernels::copy_rows(columns(extra, 0), layout.extra, layout.head_width(), copied(copy, 0));
    kernels::copy_rows(columns(data, token), tokens, layout.head_width(),
                       copied(copy, layout.extra));
    return {copy, layout.head_width()};
  }
  // Back again; each sequence has extra rows of its own.
  void scatter(Real* copy, Real* data, Real* extra) const {
    const auto from = [&](std::int64_t row) -> ConstRows {
      return {copied(copy, row).data, layout.head_width()};
    };
    kernels::copy_rows(from(0), layout.extra, layout.head_width(), columns(extra, extra_row));
    kernels::copy_rows(from(layout.extra), tokens, layout.head_width(), columns(data, token));
  }

  // body(block of queries) with the ranges of the keys to which it attends.
  template <class Body>
  void for_each_block(const Body& body) const {
    const auto& pattern = layout.pattern;
    for (std::int64_t block = 0; block < pattern.blocks(tokens); ++block) {
      auto ranges = pattern.attended_tokens(block, head, tokens);
      for (auto& range : ranges) {
        range.begin += layout.extra;
        range.end += layout.extra;
      }
      if (layout.extra > 0) ranges.push_back({0, layout.extra});
      const auto first = block * pattern.size;
      body(kernels::QueryBlock{first, std::min(first + pattern.size, tokens), ranges});
    }
  }

  const BlockLayout& layout;
  std::int64_t head, token, tokens, extra_row;
};

// body(unit) for all heads of all sequences, spread over the threads.
template <class Real, class Body>
void for_each_block_head(const BlockLayout& layout, const Body& body) {
  const auto units = kernels::useful_units(layout.offsets, layout.heads);
  kernels::for_each_unit(layout.offsets, units, [&](std::int64_t b, std::int64_t unit) {
    const auto end = (unit + 1) * layout.heads / units;
    for (auto head = unit * layout.heads / units; head < end; ++head) {
      body(BlockUnit<Real>(layout, b, head));
    }
  });
}

// The inputs of the layer, and their gradients.
struct BlockTensors {
  explicit BlockTensors(const variable_list& list)
      : query(list[0]), key(list[1]), value(list[2]), extra_key(list[3]), extra_value(list[4]) {}
  at::Tensor query, key, value, extra_key, extra_value;
};

template <class Real>
kernels::AttentionHead<Real> block_head(const BlockUnit<Real>& unit, const BlockTensors& tensors,
                                        Real* keys, Real* values) {
  const auto width = unit.layout.head_width();
  return {unit.columns(tensors.query.const_data_ptr<Real>(), unit.token),
          unit.gather(tensors.key.const_data_ptr<Real>(), tensors.extra_key.const_data_ptr<Real>(),
                      keys),
          unit.gather(tensors.value.const_data_ptr<Real>(),
                      tensors.extra_value.const_data_ptr<Real>(), values),
          width, static_cast<Real>(1 / std::sqrt(static_cast<double>(width)))};
}

template <class Real>
void attend_blocks_forward(const BlockLayout& layout, const BlockTensors& tensors,
                           const at::Tensor& output, const at::Tensor& statistics) {
  const auto copy = layout.most_keys() * layout.head_width();
  const auto size = 2 * copy + kernels::attention_scratch_size(layout.head_width());
  for_each_block_head<Real>(layout, [&](const BlockUnit<Real>& unit) {
    auto* scratch = kernels::scratch_of<Real>(size);
    const auto head = block_head(unit, tensors, scratch, scratch + copy);
    unit.for_each_block([&](const kernels::QueryBlock& block) {
      kernels::attend(head, block, unit.columns(output.mutable_data_ptr<Real>(), unit.token),
                      unit.statistics(statistics.mutable_data_ptr<Real>()), scratch + 2 * copy);
    });
  });
}

// The gradients of the extra rows are those of each sequence, [B g, d].
template <class Real>
void attend_blocks_backward(const BlockLayout& layout, const BlockTensors& tensors,
                            const kernels::AttentionResult<Real>& result,
                            const BlockTensors& gradients) {
  const auto copy = layout.most_keys() * layout.head_width();
  const auto size = 4 * copy + kernels::attention_scratch_size(layout.head_width());
  for_each_block_head<Real>(layout, [&](const BlockUnit<Real>& unit) {
    auto *scratch = kernels::scratch_of<Real>(size), *dkeys = scratch + 2 * copy,
         *dvalues = dkeys + copy;
    const auto head = block_head(unit, tensors, scratch, scratch + copy);
    std::fill_n(dkeys, 2 * copy, Real{0});
    const kernels::AttentionGradients<Real> into{
        unit.columns(gradients.query.mutable_data_ptr<Real>(), unit.token), unit.copied(dkeys, 0),
        unit.copied(dvalues, 0)};
    const kernels::AttentionResult<Real> own{unit.columns(result.output.data, unit.token),
                                             unit.statistics(result.statistics),
                                             unit.columns(result.gradient.data, unit.token)};
    unit.for_each_block([&](const kernels::QueryBlock& block) {
      kernels::attend_backward(head, block, own, into, dvalues + copy);
    });
    unit.scatter(dkeys, gradients.key.mutable_data_ptr<Real>(),
                 gradients.extra_key.mutable_data_ptr<Real>());
    unit.scatter(dvalues, gradients.value.mutable_data_ptr<Real>(),
                 gradients.extra_value.mutable_data_ptr<Real>());
  });
}

class AttendBlocks : public Function<AttendBlocks> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& query,
                            const at::Tensor& key, const at::Tensor& value,
                            const at::Tensor& extra_key, const at::Tensor& extra_value,
                            const BlockLayout& layout) {
    const auto options = query.options();
    variable_list saved = {query.contiguous(), key.contiguous(), value.contiguous(),
                           extra_key.contiguous(), extra_value.contiguous()};
    const BlockTensors tensors(saved);
    auto output = at::empty(query.sizes(), options);
    auto statistics = at::empty({layout.heads, query.size(0), 2}, options);
    AT_DISPATCH_FLOATING_TYPES(query.scalar_type(), "attend_blocks", [&] {
      attend_blocks_forward<scalar_t>(layout, tensors, output, statistics);
    });
    saved.push_back(output);
    saved.push_back(statistics);
    context->save_for_backward(saved);
    const auto& pattern = layout.pattern;
    context->saved_data["offsets"] = layout.offsets;
    context->saved_data["pattern"] =
        std::vector{pattern.size, pattern.side, pattern.global, pattern.random,
                    static_cast<std::int64_t>(pattern.seed)};
    context->saved_data["heads"] = layout.heads;
    return output;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients_in) {
    const auto saved = context->get_saved_variables();
    const auto pattern = context->saved_data["pattern"].toIntVector();
    const BlockTensors tensors(saved);
    const BlockLayout layout{
        context->saved_data["offsets"].toIntVector(),
        {pattern[0], pattern[1], pattern[2], pattern[3], static_cast<std::uint64_t>(pattern[4])},
        tensors.query.size(1),
        context->saved_data["heads"].toInt(),
        tensors.extra_key.size(0)};
    const auto gradient = gradients_in[0].contiguous();
    const auto &output = saved[5], &statistics = saved[6];
    const auto extra =
        at::empty({layout.sequences() * layout.extra, layout.width}, gradient.options());
    const variable_list results = {at::empty_like(tensors.query), at::empty_like(tensors.key),
                                   at::empty_like(tensors.value), extra, at::empty_like(extra)};
    AT_DISPATCH_FLOATING_TYPES(gradient.scalar_type(), "attend_blocks_backward", [&] {
      attend_blocks_backward<scalar_t>(layout, tensors,
                                       {{output.const_data_ptr<scalar_t>(), layout.width},
                                        statistics.const_data_ptr<scalar_t>(),
                                        {gradient.const_data_ptr<scalar_t>(), layout.width}},
                                       BlockTensors(results));
    });
    const auto sum = [&](const at::Tensor& rows) {
      return rows.view({layout.sequences(), layout.extra, layout.width}).sum(0);
    };
    return {results[0], results[1], results[2], sum(results[3]), sum(results[4]), at::Tensor()};
  }
};

void check_block_rows(const at::Tensor& tensor, const char* name, at::IntArrayRef sizes,
                      at::ScalarType type) {
  TORCH_CHECK(tensor.sizes() == sizes && tensor.scalar_type() == type, "expected ", name, " ",
              sizes, " of the type ", type, ", got ", tensor.sizes(), " of the type ",
              tensor.scalar_type());
}

}  // namespace

at::Tensor attend_blocks(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                         const at::Tensor& extra_key, const at::Tensor& extra_value,
                         std::int64_t heads, const Offsets& offsets, const BlockPattern& pattern) {
  check_rows(query, offsets);
  const auto width = query.size(1), extra = extra_key.dim() == 2 ? extra_key.size(0) : 0;
  TORCH_CHECK(width % heads == 0, "expected a multiple of ", heads, " columns, got ", width);
  check_block_rows(key, "keys", query.sizes(), query.scalar_type());
  check_block_rows(value, "values", query.sizes(), query.scalar_type());
  check_block_rows(extra_key, "extra keys", {extra, width}, query.scalar_type());
  check_block_rows(extra_value, "extra values", {extra, width}, query.scalar_type());
  const BlockLayout layout{offsets.copy(), pattern, width, heads, extra};
  return AttendBlocks::apply(query, key, value, extra_key, extra_value, layout);
}

std::vector<std::int64_t> BlockPattern::random_blocks(std::int64_t block, std::int64_t head,
                                                      std::int64_t count) const {
  // The candidates are the blocks from `global` on, except the window.
  const auto window_begin = std::clamp(block - side, std::min(global, count), count);
  const auto window_end = std::clamp(block + side + 1, window_begin, count);
  const auto before = window_begin - std::min(global, count);
  const auto candidates = before + count - window_end;
  // Only swapped places are stored: they are few for any number of candidates.
  std::vector<std::pair<std::int64_t, std::int64_t>> moved;
  const auto at = [&](std::int64_t place) {
    const auto found = std::find_if(moved.rbegin(), moved.rend(),
                                    [&](const auto& move) { return move.first == place; });
    if (found != moved.rend()) return found->second;
    return place < before ? global + place : window_end + place - before;
  };
  std::vector<std::int64_t> drawn(std::min(random, candidates));
  for (std::int64_t k = 0; k < static_cast<std::int64_t>(drawn.size()); ++k) {
    const auto place = static_cast<std::uint64_t>(block) * 0x9E3779B97F4A7C15 +
                       static_cast<std::uint64_t>(head) * 1000003 + static_cast<std::uint64_t>(k);
    const auto left = static_cast<std::uint64_t>(candidates - k);
    const auto other = k + static_cast<std::int64_t>(base::mix64(seed ^ base::mix64(place)) % left);
    drawn[k] = at(other);
    moved.emplace_back(other, at(k));
  }
  return drawn;
}

std::vector<kernels::KeyRange> BlockPattern::attended_tokens(std::int64_t block, std::int64_t head,
                                                             std::int64_t tokens) const {
  if (block < global) return {{0, tokens}};
  const auto count = blocks(tokens);
  std::vector<std::pair<std::int64_t, std::int64_t>> runs = {
      // of blocks
      {0, std::min(global, count)},
      {std::max(block - side, std::int64_t{0}), std::min(block + side + 1, count)}};
  for (const auto other : random_blocks(block, head, count)) runs.emplace_back(other, other + 1);
  std::sort(runs.begin(), runs.end());
  std::vector<kernels::KeyRange> ranges;
  for (const auto& [begin, end] : runs) {
    if (begin == end) continue;
    const auto last = std::min(end * size, tokens);
    if (!ranges.empty() && begin * size <= ranges.back().end) {
      ranges.back().end = std::max(ranges.back().end, last);
    } else {
      ranges.push_back({begin * size, last});
    }
  }
  return ranges;
}

}  // namespace fastformer::nn

#include "fastformer/nn/mixers/row_attention.h"

#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "fastformer/kernels/row_blocks.h"

namespace fastformer::nn {
namespace {

using kernels::KeyRange;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// Number of queries per pass of the kernel over its keys.
constexpr std::int64_t kBlockQueries = 128;

struct RowLayout {
  std::vector<std::int64_t> offsets, row_offsets;
  RowBand band;
  std::int64_t width, heads;

  std::int64_t head_width() const { return width / heads; }
  std::int64_t sequences() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
};

// Queries first .. last - 1 of a sequence and the rows to which some of them attend: the leading
// ones, to which all of them do, and begin .. end - 1. The kernel gets these as contiguous rows,
// and the queries from `origin` on, which becomes position 0.
struct RowAttentionBlock {
  RowAttentionBlock(const RowLayout& layout, std::int64_t sequence, std::int64_t start)
      : token(layout.offsets[sequence]),
        row(layout.row_offsets[sequence]),
        count(layout.row_offsets[sequence + 1] - row),
        first(start),
        last(std::min(first + kBlockQueries, layout.offsets[sequence + 1] - token)) {
    const auto& [behind, ahead, step, most_leading] = layout.band;
    leading = std::min(most_leading, count);
    end = std::min(count, (last - 1 + ahead) / step + 1);
    begin = std::min(
        {(std::max<std::int64_t>(first - behind, 0) + step - 1) / step, first / step, end});
    begin = std::max(begin, leading);
    end = std::max(begin, end);
    ranges[0] = {leading, leading + end - begin, behind, ahead, step};
    ranges[1] = {0, leading};
  }
  std::int64_t origin() const { return begin * ranges[0].step - leading; }
  kernels::QueryBlock queries() const { return {first - origin(), last - origin(), ranges}; }

  // body(token, row) for the tokens that have no row in their band.
  template <class Body>
  void for_each_lone_token(const Body& body) const {
    const auto& [unused_begin, unused_end, behind, ahead, step] = ranges[0];
    if (count == 0 || leading > 0 || (behind >= step - 1 && last <= count * step)) return;
    for (auto i = first; i < last; ++i) {
      const auto low = (std::max<std::int64_t>(i - behind, 0) + step - 1) / step;
      if (low > std::min(count - 1, (i + ahead) / step)) {
        body(token + i, row + std::min(i / step, count - 1));
      }
    }
  }

  std::int64_t token, row, count, first, last, leading, begin, end;
  std::array<KeyRange, 2> ranges;
};

// body(block, head) for all blocks of queries, distributed over the threads so that one thread has
// all blocks of a head, and all heads of a sequence if there are enough sequences.
template <class Body>
void for_each_row_head(const RowLayout& layout, const Body& body) {
  const auto units = kernels::useful_units(layout.offsets, layout.heads);
  kernels::for_each_unit(layout.offsets, units, [&](std::int64_t b, std::int64_t unit) {
    const auto count = layout.offsets[b + 1] - layout.offsets[b];
    for (std::int64_t first = 0; first < count; first += kBlockQueries) {
      const RowAttentionBlock block(layout, b, first);
      const auto end = (unit + 1) * layout.heads / units;
      for (auto head = unit * layout.heads / units; head < end; ++head) body(block, head);
    }
  });
}

// Largest number of rows to which a block attends.
std::int64_t most_attended_rows(const RowLayout& layout) {
  std::int64_t most = 0;
  for (std::int64_t b = 0; b < layout.sequences(); ++b) {
    most = std::max(most, layout.row_offsets[b + 1] - layout.row_offsets[b]);
  }
  const auto& [behind, ahead, step, leading] = layout.band;
  return std::min(most, (kBlockQueries + behind + ahead) / step + 2 + leading);
}

// One head of a block for the kernel. Keys and values are copied to contiguous rows: rows at a
// distance of a power of two displace each other from the L1 cache.
template <class Real>
class RowBlockHead {
 public:
  using Rows = kernels::HeadRows<Real>;
  using ConstRows = kernels::HeadRows<const Real>;

  RowBlockHead(const RowLayout& layout, const RowAttentionBlock& block, std::int64_t head)
      : width(layout.head_width()),
        token_(block.token + block.origin()),
        first_row_(block.row),
        leading_(block.leading),
        row_(block.row + block.begin),
        rows_(block.end - block.begin),
        stride_(layout.width),
        column_(head * width),
        statistics_(head * layout.offsets.back() + token_) {}

  template <class Data>
  kernels::HeadRows<Data> tokens(Data* data) const {
    return {data + token_ * stride_ + column_, stride_};
  }
  template <class Data>
  Data* statistics(Data* data) const {
    return data + 2 * statistics_;
  }
  /// The rows of a matrix [R, d] to which the block attends, contiguous in `copy`.
  ConstRows gather(const Real* data, Real* copy) const {
    kernels::copy_rows<Real>({data + first_row_ * stride_ + column_, stride_}, leading_, width,
                             {copy, width});
    kernels::copy_rows<Real>({data + row_ * stride_ + column_, stride_}, rows_, width,
                             {copy + leading_ * width, width});
    return {copy, width};
  }
  void scatter_add(const Real* copy, Real* data) const {
    const auto add = [&](const Real* from, std::int64_t rows, std::int64_t row) {
      Real* to = data + row * stride_ + column_;
      for (std::int64_t i = 0; i < rows; ++i) {
        for (std::int64_t c = 0; c < width; ++c) to[i * stride_ + c] += from[i * width + c];
      }
    };
    add(copy, leading_, first_row_);
    add(copy + leading_ * width, rows_, row_);
  }
  kernels::AttentionHead<Real> head(const Real* query, ConstRows key, ConstRows value) const {
    const auto scale = static_cast<Real>(1 / std::sqrt(static_cast<double>(width)));
    return {tokens(query), key, value, width, scale};
  }
  std::int64_t copied() const { return (leading_ + rows_) * width; }

  const std::int64_t width;

 private:
  std::int64_t token_, first_row_, leading_, row_, rows_, stride_, column_, statistics_;
};

struct RowTensors {
  at::Tensor query, key, value, output, statistics;
};

template <class Real>
void attend_rows_forward(const RowLayout& layout, const RowTensors& tensors) {
  const auto *query = tensors.query.const_data_ptr<Real>(),
             *key = tensors.key.const_data_ptr<Real>();
  const auto* value = tensors.value.const_data_ptr<Real>();
  auto* output = tensors.output.mutable_data_ptr<Real>();
  auto* statistics = tensors.statistics.mutable_data_ptr<Real>();
  const auto copy = most_attended_rows(layout) * layout.head_width();
  const auto size = 2 * copy + kernels::attention_scratch_size(layout.head_width());
  for_each_row_head(layout, [&](const RowAttentionBlock& block, std::int64_t index) {
    const RowBlockHead<Real> head(layout, block, index);
    auto* scratch = kernels::scratch_of<Real>(size);
    const auto keys = head.gather(key, scratch), values = head.gather(value, scratch + copy);
    kernels::attend(head.head(query, keys, values), block.queries(), head.tokens(output),
                    head.statistics(statistics), scratch + 2 * copy);
    block.for_each_lone_token([&](std::int64_t token, std::int64_t row) {
      const auto column = index * head.width;
      std::copy_n(value + row * layout.width + column, head.width,
                  output + token * layout.width + column);
    });
  });
}

// Overwrites dquery, and adds to dkey and dvalue.
template <class Real>
void attend_rows_backward(const RowLayout& layout, const RowTensors& tensors,
                          const at::Tensor& gradient, const RowTensors& results) {
  const auto *query = tensors.query.const_data_ptr<Real>(),
             *key = tensors.key.const_data_ptr<Real>();
  const auto *value = tensors.value.const_data_ptr<Real>(), *g = gradient.const_data_ptr<Real>();
  const auto* output = tensors.output.const_data_ptr<Real>();
  const auto* statistics = tensors.statistics.const_data_ptr<Real>();
  auto *dquery = results.query.mutable_data_ptr<Real>(),
       *dkey = results.key.mutable_data_ptr<Real>();
  auto* dvalue = results.value.mutable_data_ptr<Real>();
  const auto copy = most_attended_rows(layout) * layout.head_width();
  const auto size = 4 * copy + kernels::attention_scratch_size(layout.head_width());
  for_each_row_head(layout, [&](const RowAttentionBlock& block, std::int64_t index) {
    const RowBlockHead<Real> head(layout, block, index);
    auto *scratch = kernels::scratch_of<Real>(size), *dkeys = scratch + 2 * copy,
         *dvalues = dkeys + copy;
    const auto keys = head.gather(key, scratch), values = head.gather(value, scratch + copy);
    std::fill_n(dkeys, head.copied(), Real{0});
    std::fill_n(dvalues, head.copied(), Real{0});
    kernels::attend_backward<Real>(
        head.head(query, keys, values), block.queries(),
        {head.tokens(output), head.statistics(statistics), head.tokens(g)},
        {head.tokens(dquery), {dkeys, head.width}, {dvalues, head.width}}, dvalues + copy);
    head.scatter_add(dkeys, dkey);
    head.scatter_add(dvalues, dvalue);
    block.for_each_lone_token([&](std::int64_t token, std::int64_t row) {
      const auto column = index * head.width;
      for (std::int64_t c = column; c < column + head.width; ++c) {
        dvalue[row * layout.width + c] += g[token * layout.width + c];
      }
    });
  });
}

class AttendRows : public Function<AttendRows> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& query,
                            const at::Tensor& key, const at::Tensor& value,
                            const RowLayout& layout) {
    const auto options = query.options();
    const RowTensors tensors{query.contiguous(), key.contiguous(), value.contiguous(),
                             at::empty(query.sizes(), options),
                             at::empty({layout.heads, query.size(0), 2}, options)};
    AT_DISPATCH_FLOATING_TYPES(query.scalar_type(), "attend_rows",
                               [&] { attend_rows_forward<scalar_t>(layout, tensors); });
    context->save_for_backward(
        {tensors.query, tensors.key, tensors.value, tensors.output, tensors.statistics});
    auto& data = context->saved_data;
    data["offsets"] = layout.offsets;
    data["row_offsets"] = layout.row_offsets;
    data["band"] =
        std::vector{layout.band.behind, layout.band.ahead, layout.band.step, layout.band.leading};
    data["heads"] = layout.heads;
    return tensors.output;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    auto& data = context->saved_data;
    const auto band = data["band"].toIntVector();
    const RowLayout layout{data["offsets"].toIntVector(),
                           data["row_offsets"].toIntVector(),
                           {band[0], band[1], band[2], band[3]},
                           saved[0].size(1),
                           data["heads"].toInt()};
    const RowTensors tensors{saved[0], saved[1], saved[2], saved[3], saved[4]};
    const RowTensors results{
        at::empty_like(saved[0]), at::zeros_like(saved[1]), at::zeros_like(saved[2]), {}, {}};
    const auto gradient = gradients[0].contiguous();
    AT_DISPATCH_FLOATING_TYPES(gradient.scalar_type(), "attend_rows_backward", [&] {
      attend_rows_backward<scalar_t>(layout, tensors, gradient, results);
    });
    return {results.query, results.key, results.value, at::Tensor()};
  }
};

}  // namespace

at::Tensor attend_rows(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                       std::int64_t heads, const Offsets& offsets, const Offsets& row_offsets,
                       const RowBand& band) {
  check_rows(query, offsets);
  check_rows(key, row_offsets);
  TORCH_CHECK(row_offsets.size() == offsets.size(), "expected rows for ", offsets.size(),
              " sequences, got them for ", row_offsets.size());
  TORCH_CHECK(key.size(1) == query.size(1) && value.sizes() == key.sizes(),
              "expected keys and values [R, ", query.size(1), "], got ", key.sizes(), " and ",
              value.sizes());
  TORCH_CHECK(query.size(1) % heads == 0, "expected a multiple of ", heads, " columns, got ",
              query.size(1));
  TORCH_CHECK(query.scalar_type() == key.scalar_type() && key.scalar_type() == value.scalar_type(),
              "expected one type, got ", query.scalar_type(), ", ", key.scalar_type(), " and ",
              value.scalar_type());
  TORCH_CHECK(band.leading == 0 || band.step == 1,
              "expected a step of 1 together with leading rows, got ", band.step);
  const RowLayout layout{offsets.copy(), row_offsets.copy(), band, query.size(1), heads};
  return AttendRows::apply(query, key, value, layout);
}

at::Tensor attention_weights(const at::Tensor& query, const at::Tensor& key, std::int64_t heads) {
  TORCH_CHECK(query.dim() == 2 && key.dim() == 2 && query.size(1) == key.size(1) &&
                  query.size(1) % heads == 0,
              "expected a query [T, d] and keys [S, d] of ", heads, " heads, got ", query.sizes(),
              " and ", key.sizes());
  const c10::NoGradGuard no_gradients;
  const auto width = query.size(1) / heads;
  const auto scale = 1 / std::sqrt(static_cast<double>(width));
  auto sum = at::zeros({query.size(0), key.size(0)}, query.options());
  for (std::int64_t head = 0; head < heads; ++head) {
    const auto part = [&](const at::Tensor& rows) { return rows.narrow(1, head * width, width); };
    sum += at::softmax(at::mm(part(query), part(key).t()) * scale, 1);
  }
  return sum / heads;
}

}  // namespace fastformer::nn

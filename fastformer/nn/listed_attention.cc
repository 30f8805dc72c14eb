#include "fastformer/nn/listed_attention.h"

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "fastformer/kernels/softmax_attention.h"
#include "fastformer/nn/scratch.h"

namespace fastformer::nn {
namespace {

// The columns of one head of the listed rows, side by side.
template <class Real>
void gather(const Real* table, std::int64_t stride, std::span<const std::int64_t> rows,
            std::int64_t width, Real* to) {
  for (const auto row : rows) {
    std::copy_n(table + row * stride, width, to);
    to += width;
  }
}

template <class Real>
void run(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
         std::int64_t heads, std::span<const std::int64_t> rows, const at::Tensor& out) {
  const auto hypotheses = query.size(0), d = query.size(1), width = d / heads;
  const auto count = static_cast<std::int64_t>(rows.size()) / hypotheses;
  const auto *q = query.const_data_ptr<Real>(), *k = key.const_data_ptr<Real>();
  const auto* v = value.const_data_ptr<Real>();
  auto* y = out.mutable_data_ptr<Real>();
  const auto scale = static_cast<Real>(1 / std::sqrt(static_cast<double>(width)));
  const std::array<kernels::KeyRange, 1> ranges = {{{0, count}}};
  const auto copied = count * width;
  const auto size = 2 * copied + 2 + kernels::attention_scratch_size(width);
  at::parallel_for(0, hypotheses * heads, 4, [&](std::int64_t begin, std::int64_t end) {
    auto* keys = scratch_of<Real>(size);
    auto *values = keys + copied, *statistics = values + copied;
    for (auto i = begin; i < end; ++i) {
      const auto hypothesis = i / heads, column = i % heads * width, at = hypothesis * d + column;
      const auto list = rows.subspan(hypothesis * count, count);
      gather(k + column, d, list, width, keys);
      gather(v + column, d, list, width, values);
      kernels::attend<Real>({{q + at, d}, {keys, width}, {values, width}, width, scale},
                            {0, 1, ranges}, {y + at, d}, statistics, statistics + 2);
    }
  });
}

}  // namespace

at::Tensor attend_listed(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                         std::int64_t heads, std::span<const std::int64_t> rows) {
  TORCH_CHECK(query.dim() == 2 && key.dim() == 2 && key.size(1) == query.size(1) &&
                  key.sizes() == value.sizes() && query.size(1) % heads == 0,
              "expected a query [H, d] and keys and values [R, d] of ", heads, " heads, got ",
              query.sizes(), ", ", key.sizes(), " and ", value.sizes());
  TORCH_CHECK(query.scalar_type() == key.scalar_type() && key.scalar_type() == value.scalar_type(),
              "expected one type, got ", query.scalar_type(), ", ", key.scalar_type(), " and ",
              value.scalar_type());
  auto out = at::zeros_like(query, at::MemoryFormat::Contiguous);
  if (query.size(0) == 0) return out;
  TORCH_CHECK(rows.size() % query.size(0) == 0, "expected lists of one length for ", query.size(0),
              " rows, got ", rows.size(), " numbers");
  AT_DISPATCH_FLOATING_TYPES(query.scalar_type(), "attend_listed", [&] {
    run<scalar_t>(query.contiguous(), key.contiguous(), value.contiguous(), heads, rows, out);
  });
  return out;
}

}  // namespace fastformer::nn

#include "fastformer/nn/dropped_attention.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "fastformer/nn/dropout.h"

namespace fastformer::nn {
namespace {

constexpr std::int64_t kRowsAtOnce = 4096;  // bounds what the weights of one product take

// Sequences of one length, whose attention is one product for all of them.
struct EqualLengths {
  std::int64_t length = 0;
  std::int64_t sequences = 0;
};

// The sequences of a batch by their length, as `groups` of the rows `order`.
struct ByLength {
  std::vector<EqualLengths> groups;
  std::vector<std::int64_t> order;  // [T] rows
};

ByLength by_length(const Offsets& offsets) {
  std::vector<std::int64_t> sequences(static_cast<std::size_t>(offsets.size()));
  std::iota(sequences.begin(), sequences.end(), std::int64_t{0});
  std::ranges::stable_sort(sequences, {}, [&](std::int64_t b) { return offsets.length(b); });
  ByLength result;
  result.order.reserve(static_cast<std::size_t>(offsets.total()));
  for (const auto b : sequences) {
    const auto length = offsets.length(b);
    if (length == 0) continue;
    auto& groups = result.groups;
    if (groups.empty() || groups.back().length != length ||
        (groups.back().sequences + 1) * length > kRowsAtOnce) {
      groups.push_back({length, 0});
    }
    ++groups.back().sequences;
    for (std::int64_t i = 0; i < length; ++i) result.order.push_back(offsets.begin_of(b) + i);
  }
  return result;
}

// [s n, d] -> [s, h, n, e]
at::Tensor heads_of(const at::Tensor& rows, const EqualLengths& group, std::int64_t heads) {
  return rows.view({group.sequences, group.length, heads, rows.size(1) / heads}).transpose(1, 2);
}

at::Tensor attend(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                  const EqualLengths& group, std::int64_t heads, double rate) {
  const double scale = 1 / std::sqrt(static_cast<double>(query.size(1) / heads));
  const auto logits = at::matmul(heads_of(query, group, heads) * scale,
                                 heads_of(key, group, heads).transpose(2, 3));
  const auto kept = dropout(at::softmax(logits, 3), rate);
  return at::matmul(kept, heads_of(value, group, heads)).transpose(1, 2).reshape(query.sizes());
}

}  // namespace

at::Tensor attend_with_dropout(const at::Tensor& query, const at::Tensor& key,
                               const at::Tensor& value, std::int64_t heads, const Offsets& offsets,
                               double rate) {
  check_rows(query, offsets);
  TORCH_CHECK(key.sizes() == query.sizes() && value.sizes() == query.sizes(),
              "expected keys and values ", query.sizes(), ", got ", key.sizes(), " and ",
              value.sizes());
  TORCH_CHECK(query.size(1) % heads == 0, "expected a multiple of ", heads, " columns, got ",
              query.size(1));
  const auto [groups, rows] = by_length(offsets);
  if (groups.empty()) return at::zeros_like(query);
  std::vector<std::int64_t> lengths;
  for (const auto& group : groups) lengths.push_back(group.sequences * group.length);
  const auto order = at::tensor(rows, at::kLong);
  // Their backward pass puts the parts together once; that of a slice would fill a whole batch.
  const auto parts = [&](const at::Tensor& x) {
    return x.index_select(0, order).split_with_sizes(lengths);
  };
  const auto queries = parts(query), keys = parts(key), values = parts(value);
  std::vector<at::Tensor> outputs;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    outputs.push_back(attend(queries[i], keys[i], values[i], groups[i], heads, rate));
  }
  return at::cat(outputs).index_select(0, order.argsort());
}

}  // namespace fastformer::nn

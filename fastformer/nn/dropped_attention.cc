#include "fastformer/nn/dropped_attention.h"

#include <cmath>
#include <vector>

#include "fastformer/nn/dropout.h"

namespace fastformer::nn {
namespace {

// [n, d] -> [h, n, e]
at::Tensor heads_of(const at::Tensor& rows, std::int64_t heads) {
  return rows.view({rows.size(0), heads, rows.size(1) / heads}).transpose(0, 1);
}

at::Tensor attend(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                  std::int64_t heads, double rate) {
  const auto n = query.size(0), width = query.size(1);
  const double scale = 1 / std::sqrt(static_cast<double>(width / heads));
  const auto logits =
      at::matmul(heads_of(query, heads) * scale, heads_of(key, heads).transpose(1, 2));
  const auto kept = dropout(at::softmax(logits, 2), rate);
  return at::matmul(kept, heads_of(value, heads)).transpose(0, 1).reshape({n, width});
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
  std::vector<std::int64_t> lengths;
  for (std::int64_t b = 0; b < offsets.size(); ++b) {
    if (offsets.length(b) > 0) lengths.push_back(offsets.length(b));
  }
  if (lengths.empty()) return at::zeros_like(query);
  // Their backward pass puts the parts together once; that of a slice would fill a whole batch.
  const auto queries = query.split_with_sizes(lengths), keys = key.split_with_sizes(lengths);
  const auto values = value.split_with_sizes(lengths);
  std::vector<at::Tensor> outputs;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    outputs.push_back(attend(queries[i], keys[i], values[i], heads, rate));
  }
  return at::cat(outputs);
}

}  // namespace fastformer::nn

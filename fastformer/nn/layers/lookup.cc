#include "fastformer/nn/layers/lookup.h"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "fastformer/kernels/parallel.h"

namespace fastformer::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

constexpr std::int64_t kLookupGrain = 64;  // rows; for fewer a thread would be slower

template <class Real>
void add_table_rows(const at::Tensor& table, const at::Tensor& indices, const at::Tensor& scale,
                    bool first_table, const at::Tensor& y) {
  const auto width = table.size(1);
  const auto* rows = table.const_data_ptr<Real>();
  const auto* index = indices.const_data_ptr<std::int64_t>();
  const auto* factor = scale.numel() > 0 ? scale.const_data_ptr<Real>() : nullptr;
  auto* out = y.mutable_data_ptr<Real>();
  kernels::parallel_for(0, y.size(0), kLookupGrain, [&](std::int64_t begin, std::int64_t end) {
    for (auto i = begin; i < end; ++i) {
      const auto* row = rows + index[i] * width;
      auto* to = out + i * width;
      const Real times = factor == nullptr ? Real{1} : factor[i];
      if (first_table) {
        for (std::int64_t c = 0; c < width; ++c) to[c] = times * row[c];
      } else if (times != 0) {
        for (std::int64_t c = 0; c < width; ++c) to[c] += times * row[c];
      }
    }
  });
}

// The uses of each used row of a table: uses[starts[r]] .. uses[starts[r + 1]] for rows[r].
struct Uses {
  std::vector<std::int64_t> rows, starts;
  std::vector<std::pair<std::int64_t, std::int64_t>> uses;  // row of the table, token
};

template <class Real>
Uses uses_of(const at::Tensor& indices, const at::Tensor& scale) {
  const auto* index = indices.const_data_ptr<std::int64_t>();
  const auto* factor = scale.numel() > 0 ? scale.const_data_ptr<Real>() : nullptr;
  Uses result;
  result.uses.reserve(indices.numel());
  for (std::int64_t i = 0; i < indices.numel(); ++i) {
    if (factor == nullptr || factor[i] != 0) result.uses.emplace_back(index[i], i);
  }
  std::sort(result.uses.begin(), result.uses.end());
  for (std::size_t i = 0; i < result.uses.size(); ++i) {
    const auto row = result.uses[i].first;
    if (!result.rows.empty() && result.rows.back() == row) continue;
    result.rows.push_back(row);
    result.starts.push_back(static_cast<std::int64_t>(i));
  }
  result.starts.push_back(static_cast<std::int64_t>(result.uses.size()));
  return result;
}

template <class Real>
at::Tensor gradient_of(const at::Tensor& gradient, const at::Tensor& indices,
                       const at::Tensor& scale, std::int64_t table_rows) {
  const auto width = gradient.size(1);
  const auto uses = uses_of<Real>(indices, scale);
  const auto count = static_cast<std::int64_t>(uses.rows.size());
  const auto values = at::zeros({count, width}, gradient.options());
  const auto* g = gradient.const_data_ptr<Real>();
  const auto* factor = scale.numel() > 0 ? scale.const_data_ptr<Real>() : nullptr;
  auto* out = values.mutable_data_ptr<Real>();
  kernels::parallel_for(0, count, kLookupGrain, [&](std::int64_t begin, std::int64_t end) {
    for (auto r = begin; r < end; ++r) {
      for (auto u = uses.starts[r]; u < uses.starts[r + 1]; ++u) {
        const auto token = uses.uses[u].second;
        const Real times = factor == nullptr ? Real{1} : factor[token];
        for (std::int64_t c = 0; c < width; ++c) {
          out[r * width + c] += times * g[token * width + c];
        }
      }
    }
  });
  const auto rows = at::tensor(uses.rows, at::kLong).unsqueeze(0);
  return at::sparse_coo_tensor(rows, values, {table_rows, width})._coalesced_(true);
}

class SumOfRows : public Function<SumOfRows> {
 public:
  // Table, indices and scale of each lookup, one after another; an empty scale means ones.
  static at::Tensor forward(AutogradContext* context, at::TensorList arguments) {
    const auto count = arguments.size() / 3;
    const auto width = arguments[0].size(1);
    auto y = at::empty({arguments[1].size(0), width}, arguments[0].options());
    variable_list kept;
    std::vector<std::int64_t> sizes;
    AT_DISPATCH_FLOATING_TYPES(y.scalar_type(), "sum_of_rows", [&] {
      for (std::size_t i = 0; i < count; ++i) {
        const auto &table = arguments[3 * i], &scale = arguments[3 * i + 2];
        add_table_rows<scalar_t>(table, arguments[3 * i + 1], scale, i == 0, y);
        kept.insert(kept.end(), {arguments[3 * i + 1], scale});
        sizes.push_back(table.size(0));
      }
    });
    context->save_for_backward(kept);
    context->saved_data["sizes"] = sizes;
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto sizes = context->saved_data["sizes"].toIntVector();
    const auto gradient = gradients[0].contiguous();
    variable_list result;
    AT_DISPATCH_FLOATING_TYPES(gradient.scalar_type(), "sum_of_rows_backward", [&] {
      for (std::size_t i = 0; i < sizes.size(); ++i) {
        result.insert(result.end(),
                      {gradient_of<scalar_t>(gradient, saved[2 * i], saved[2 * i + 1], sizes[i]),
                       at::Tensor(), at::Tensor()});
      }
    });
    return result;
  }
};

at::Tensor index_tensor(std::span<const std::int32_t> ids) {
  auto tensor = at::empty({static_cast<std::int64_t>(ids.size())}, at::kLong);
  std::copy(ids.begin(), ids.end(), tensor.mutable_data_ptr<std::int64_t>());
  return tensor;
}

}  // namespace

at::Tensor sum_of_rows(const std::vector<Lookup>& lookups) {
  TORCH_CHECK(!lookups.empty(), "expected a table to look rows up in");
  const auto& first = lookups.front();
  variable_list arguments;
  for (const auto& [table, indices, scale] : lookups) {
    TORCH_CHECK(table.dim() == 2 && table.size(1) == first.table.size(1) &&
                    table.scalar_type() == first.table.scalar_type(),
                "expected tables of one width and type, got ", table.sizes(), " of the type ",
                table.scalar_type());
    TORCH_CHECK(indices.sizes() == first.indices.sizes() && indices.dim() == 1 &&
                    indices.scalar_type() == at::kLong,
                "expected int64 indices [", first.indices.numel(), "], got ", indices.sizes());
    TORCH_CHECK(!scale.defined() || (scale.sizes() == indices.sizes() &&
                                     scale.scalar_type() == table.scalar_type()),
                "expected a scale [", indices.numel(), "] of the table's type");
    TORCH_CHECK(indices.numel() == 0 || (indices.min().item<std::int64_t>() >= 0 &&
                                         indices.max().item<std::int64_t>() < table.size(0)),
                "expected indices below ", table.size(0), ", the rows of the table");
    arguments.insert(arguments.end(), {table.contiguous(), indices.contiguous(),
                                       scale.defined() ? scale.contiguous() : at::empty({0})});
  }
  return SumOfRows::apply(at::TensorList(arguments));
}

at::Tensor token_indices(std::span<const std::int32_t> ids, std::int64_t size) {
  for (const auto id : ids) {
    if (id < 0 || id >= size) {
      throw std::invalid_argument("the token id " + std::to_string(id) +
                                  " is outside the vocabulary of " + std::to_string(size) +
                                  " tokens; use the tokenizer that was saved with the model");
    }
  }
  return index_tensor(ids);
}

at::Tensor position_indices(const Offsets& offsets, std::int64_t limit, const std::string& advice) {
  auto positions = at::empty({offsets.total()}, at::kLong);
  auto* out = positions.mutable_data_ptr<std::int64_t>();
  for (std::int64_t b = 0; b < offsets.size(); ++b) {
    if (offsets.length(b) > limit) {
      throw std::invalid_argument("a document of " + std::to_string(offsets.length(b)) +
                                  " tokens is longer than the " + std::to_string(limit) +
                                  " positions of the model; " + advice);
    }
    for (std::int64_t i = 0; i < offsets.length(b); ++i) out[offsets.begin_of(b) + i] = i;
  }
  return positions;
}

at::Tensor sorted_unique(const at::Tensor& indices) {
  const auto* first = indices.const_data_ptr<std::int64_t>();
  std::vector<std::int64_t> rows(first, first + indices.numel());
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  return at::tensor(rows, at::kLong);
}

at::Tensor touched_tokens(std::span<const std::int32_t> ids) {
  return sorted_unique(index_tensor(ids));
}

at::Tensor touched_positions(const Offsets& offsets, std::int64_t limit) {
  std::int64_t longest = 0;
  for (std::int64_t b = 0; b < offsets.size(); ++b) longest = std::max(longest, offsets.length(b));
  return at::arange(std::min(longest, limit), at::kLong);
}

}  // namespace fastformer::nn

#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "fastformer/nn/offsets.h"

/// Rows of embedding tables: which rows a batch uses, and the sum of these rows for each token.
namespace fastformer::nn {

/// Rows of one table: row indices[i] of `table` [V, d], times scale[i] if `scale` is defined.
struct Lookup {
  at::Tensor table;
  at::Tensor indices;  ///< [T] int64, in [0, V)
  at::Tensor scale;    ///< [T] of the table's type, or undefined; not differentiable
};

/// y_i = sum over the lookups of scale_i table[indices_i], computed in one pass -> [T, d].
///
/// The gradient of a table is a sparse tensor of the rows that were used, each once and in
/// ascending order, so that its cost does not depend on the size of the table. It omits rows whose
/// scales are all zero. Deterministic for any number of threads. Float or double; throws c10::Error
/// if shapes or types disagree or an index is outside its table.
at::Tensor sum_of_rows(const std::vector<Lookup>& lookups);

/// The ids as a tensor [T]. Throws std::invalid_argument for an id outside [0, size).
at::Tensor token_indices(std::span<const std::int32_t> ids, std::int64_t size);

/// The position of each token in its sequence, from 0: [T]. Throws std::invalid_argument for a
/// sequence longer than `limit`; `advice` is appended to the message.
at::Tensor position_indices(const Offsets& offsets, std::int64_t limit, const std::string& advice);

/// The distinct numbers in `indices`, in ascending order.
at::Tensor sorted_unique(const at::Tensor& indices);

/// The rows of a token table that a batch uses, each once, in ascending order.
at::Tensor touched_tokens(std::span<const std::int32_t> ids);

/// The same for a table of `limit` positions.
at::Tensor touched_positions(const Offsets& offsets, std::int64_t limit);

}  // namespace fastformer::nn

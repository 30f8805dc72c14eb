#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "fastformer/nn/offsets.h"

/// Rows of embedding tables: which ones a batch reads, and their sum for each token.
namespace fastformer::nn {

/// Rows of one table: row indices[i] of `table` [V, d], times scale[i] if that is defined.
struct Lookup {
  at::Tensor table;
  at::Tensor indices;  ///< [T] int64, within the table
  at::Tensor scale;    ///< [T] of the table's type, or undefined; not differentiable
};

/// y_i = sum over the lookups of scale_i table[indices_i], in one pass: [T, d].
///
/// The gradient of a table is a sparse tensor of the rows that were used, each once and in
/// ascending order: its cost does not depend on the size of the table. Rows whose scales are all
/// zero are not among them. Deterministic for any number of threads. Float or double; throws
/// c10::Error if shapes or types disagree or an index lies outside its table.
at::Tensor sum_of_rows(const std::vector<Lookup>& lookups);

/// The ids [T]. Throws std::invalid_argument for one outside a vocabulary of `size` tokens.
at::Tensor token_indices(std::span<const std::int32_t> ids, std::int64_t size);

/// The place of each token in its sequence, from 0: [T]. Throws std::invalid_argument for a
/// sequence longer than `limit`; `advice` is the end of the message.
at::Tensor position_indices(const Offsets& offsets, std::int64_t limit, const std::string& advice);

/// The numbers of `indices`, each once and in ascending order.
at::Tensor sorted_unique(const at::Tensor& indices);

/// Rows of a table of tokens that a batch touches, each once and in ascending order.
at::Tensor touched_tokens(std::span<const std::int32_t> ids);

/// The same for a table of `limit` positions.
at::Tensor touched_positions(const Offsets& offsets, std::int64_t limit);

}  // namespace fastformer::nn

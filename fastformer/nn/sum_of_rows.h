#pragma once

#include <ATen/ATen.h>

#include <vector>

namespace fastformer::nn {

/// Rows of one table: row indices[i] of `table` [V, d], times scale[i] where that is defined.
struct Lookup {
  at::Tensor table;
  at::Tensor indices;  ///< [T] int64, within the table
  at::Tensor scale;    ///< [T] of the table's type, or undefined; not differentiable
};

/// y_i = sum over the lookups of scale_i table[indices_i], in one pass: [T, d].
///
/// The gradient of a table is a sparse tensor of the rows that were used, each once and in rising
/// order: its cost does not depend on the size of the table. Rows that only have a scale of zero
/// are not among them. Deterministic for any number of threads. Float or double; throws c10::Error
/// when shapes or types disagree or an index lies outside its table.
at::Tensor sum_of_rows(const std::vector<Lookup>& lookups);

}  // namespace fastformer::nn

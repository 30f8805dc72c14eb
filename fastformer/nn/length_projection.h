#pragma once

#include <ATen/ATen.h>

#include "fastformer/nn/offsets.h"

namespace fastformer::nn {

/// What `project_lengths` gives.
struct ProjectedLengths {
  at::Tensor rows;  ///< [s, B, k, c]
  /// The input again, for whatever reads it next; see `PooledRows`.
  at::Tensor input;
};

/// Projects each sequence along its length to k rows (Wang et al., Linformer, arXiv 2006.04768,
/// section 4): for the rows X [n, c] of a sequence, projection E [k, L] and n <= L,
///   P = E[:, :n] X  [k, c]
/// `projections` [s, g, k, L] holds s sets, each with one projection for each of g groups of c / g
/// columns that stand side by side. x [T, c] -> [s, B, k, c].
///
/// The threads share sequences and columns; in the backward pass each adds up its part of the
/// gradient of the projections [g s, longest n, k], and the parts are added in order. Rounds as
/// `Linear` does. Throws c10::Error when shapes or types disagree or a sequence is longer than L.
ProjectedLengths project_lengths(const at::Tensor& x, const at::Tensor& projections,
                                 const Offsets& offsets);

}  // namespace fastformer::nn

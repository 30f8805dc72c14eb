#pragma once

#include <ATen/ATen.h>

#include <cstdint>

/// Weights between items from X^T X [m, m] (see ClickMatrix::co_clicks), double: element (i, j) is
/// what a click on item i adds to the score of item j. The diagonal is 0.
namespace fastformer::recommendation {

/// EASE (Steck, WWW 2019, "Embarrassingly shallow autoencoders for sparse data"): the linear model
/// that reconstructs X from X without predicting an item by itself, in closed form:
///   P = (X^T X + lambda I)^-1,   B_ij = -P_ij / P_jj,   B_jj = 0
/// Time m^3, memory 16 m^2 bytes besides the argument. Throws std::invalid_argument unless
/// lambda > 0.
at::Tensor ease_weights(const at::Tensor& co_clicks, double lambda);

/// Item-kNN with cosine similarity (Deshpande and Karypis, TOIS 2004):
///   S_ij = c_ij / sqrt(c_ii c_jj)
/// of which each item j keeps the `neighbours` largest.
at::Tensor neighbour_weights(const at::Tensor& co_clicks, std::int64_t neighbours);

}  // namespace fastformer::recommendation

#include "fastformer/train/optimizer/gradient.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <vector>

#include "fastformer/kernels/parallel.h"

namespace fastformer::train {
namespace {

constexpr std::int64_t kChunk = 1 << 15;

template <class T>
double sum_of_squares(const T* values, std::int64_t count) {
  // Eight sums break the chain of additions that each wait for the one before.
  double sums[8] = {};
  std::int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    for (int lane = 0; lane < 8; ++lane) {
      const auto value = static_cast<double>(values[i + lane]);
      sums[lane] += value * value;
    }
  }
  for (; i < count; ++i) sums[0] += static_cast<double>(values[i]) * static_cast<double>(values[i]);
  double sum = 0;
  for (const double part : sums) sum += part;
  return sum;
}

template <class T>
double sum_of_squares_in_chunks(const at::Tensor& tensor) {
  const T* values = tensor.const_data_ptr<T>();
  const std::int64_t count = tensor.numel();
  const std::int64_t chunks = (count + kChunk - 1) / kChunk;
  std::vector<double> parts(static_cast<std::size_t>(chunks));
  kernels::parallel_for(0, chunks, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t chunk = begin; chunk < end; ++chunk) {
      const std::int64_t start = chunk * kChunk;
      parts[static_cast<std::size_t>(chunk)] =
          sum_of_squares(values + start, std::min(kChunk, count - start));
    }
  });
  double sum = 0;
  for (const double part : parts) sum += part;
  return sum;
}

double sum_of_squares(const std::string& name, const at::Tensor& gradient) {
  if (!gradient.defined()) return 0;
  const at::Tensor contiguous = gradient.detach().contiguous();
  if (contiguous.scalar_type() == at::kFloat) return sum_of_squares_in_chunks<float>(contiguous);
  if (contiguous.scalar_type() == at::kDouble) return sum_of_squares_in_chunks<double>(contiguous);
  throw std::invalid_argument("clip_gradients: the gradient of '" + name + "' has type " +
                              at::toString(contiguous.scalar_type()) +
                              "; expected float32 or float64");
}

void scale(const at::Tensor& gradient, double factor) {
  if (gradient.defined()) gradient.detach().mul_(factor);
}

bool rises(const at::Tensor& rows) {
  const at::Tensor contiguous = rows.contiguous();
  const auto* first = contiguous.const_data_ptr<std::int64_t>();
  return std::adjacent_find(first, first + contiguous.numel(), std::greater_equal<>()) ==
         first + contiguous.numel();
}

}  // namespace

Gradient gradient_of(const at::Tensor& parameter) {
  const at::Tensor gradient = parameter.grad().defined() ? parameter.grad().detach() : at::Tensor();
  if (!gradient.defined() || gradient.layout() == at::kStrided) {
    return {.dense = gradient, .rows = {}, .row_values = {}};
  }
  if (gradient.layout() != at::kSparse || gradient.sparse_dim() != 1) {
    throw std::invalid_argument(
        "gradient_of: the gradient is sparse, but not by rows; expected the gradient of an "
        "embedding table");
  }
  // Autograd drops the mark of a tensor that has each row once and in order.
  const at::Tensor sorted =
      rises(gradient._indices()[0]) ? at::Tensor(gradient)._coalesced_(true) : gradient.coalesce();
  return {.dense = {}, .rows = sorted.indices()[0].contiguous(), .row_values = sorted.values()};
}

double clip_gradients(std::map<std::string, Gradient>& gradients, double max_norm) {
  if (!(max_norm > 0)) {
    throw std::invalid_argument("clip_gradients: the largest norm is " + std::to_string(max_norm) +
                                "; expected a positive number");
  }
  double sum = 0;
  for (const auto& [name, gradient] : gradients) {
    sum += sum_of_squares(name, gradient.dense) + sum_of_squares(name, gradient.row_values);
  }
  const double norm = std::sqrt(sum);
  const double factor = max_norm / (norm + 1e-6);
  if (!std::isfinite(norm) || factor >= 1) return norm;
  for (auto& [name, gradient] : gradients) {
    scale(gradient.dense, factor);
    scale(gradient.row_values, factor);
  }
  return norm;
}

}  // namespace fastformer::train

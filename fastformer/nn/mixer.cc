#include "fastformer/nn/mixer.h"

#include <limits>

#include "fastformer/nn/row_blocks.h"

namespace fastformer::nn {

void Mixer::stream(const at::Tensor& x, const Offsets& offsets, const RowSink& sink) const {
  const auto y = forward(x, offsets, nullptr);
  for_each_row_block(y.size(0), [&](std::int64_t, std::int64_t first, std::int64_t rows) {
    const c10::InferenceMode inference;
    sink(first, y.narrow(0, first, rows));
  });
}

double Mixer::multiply_adds(std::int64_t /*tokens*/) const {
  return std::numeric_limits<double>::quiet_NaN();
}

}  // namespace fastformer::nn

#include "fastformer/runtime/weights.h"

#include "fastformer/kernels/layer_norm.h"
#include "fastformer/model/stored_parameter.h"

namespace fastformer::runtime {
namespace {

// That of nn::LayerNorm.
constexpr double kEpsilon = 1e-12;

}  // namespace

std::span<const float> take_floats(model::ParameterFile& file, const std::string& name,
                                   std::int64_t size) {
  return model::StoredParameter(file, name, {size}).floats();
}

LinearWeights::LinearWeights(model::ParameterFile& file, const std::string& name,
                             std::int64_t columns, std::int64_t rows, RowPrecision of_floats)
    : in(columns), out(rows), precision(of_floats) {
  const model::StoredParameter stored(file, name + ".weight", {rows, columns},
                                      model::StoredRows::kAll);
  weight = stored.values();
  bias = take_floats(file, name + ".bias", rows);
  if (stored.storage() == model::Storage::kInt8) precision = RowPrecision::kInt8;
}

void activate(kernels::Activation activation, const Linear& layer, std::int64_t n, float* rows) {
  const auto count = n * layer.weight.columns();
  if (layer.weight.is_quantized()) {
    kernels::activate_approximately(activation, rows, count, rows);
  } else {
    kernels::activate(activation, rows, count, rows);
  }
}

void LayerNorm::apply(std::int64_t n, const float* x, float* y) const {
  kernels::layer_norm(x, weight.data(), bias.data(), kEpsilon, n,
                      static_cast<std::int64_t>(weight.size()), y, static_cast<float*>(nullptr));
}

void LayerNorm::apply_to_sum(std::int64_t n, const float* x, const float* added, float* y) const {
  kernels::layer_norm_of_sum(x, added, weight.data(), bias.data(), kEpsilon, n,
                             static_cast<std::int64_t>(weight.size()), y);
}

}  // namespace fastformer::runtime

#include "fastformer/nn/tensor_file.h"

#include <array>
#include <cmath>
#include <cstring>
#include <span>
#include <stdexcept>

#include "fastformer/base/printable.h"

namespace fastformer::nn {
namespace {

struct NumberType {
  const char* name;
  at::ScalarType type;
};

constexpr std::array kNumberTypes = {
    NumberType{"F32", at::kFloat}, NumberType{"F64", at::kDouble},
    NumberType{"F16", at::kHalf},  NumberType{"BF16", at::kBFloat16},
    NumberType{"I32", at::kInt},   NumberType{"I64", at::kLong}};

at::ScalarType type_of(const std::string& name, const std::string& where) {
  for (const auto& row : kNumberTypes) {
    if (name == row.name) return row.type;
  }
  throw std::invalid_argument(where + " has the type " + base::excerpt(name) +
                              "; convert them to F32, F64, F16, BF16, I32 or I64");
}

const char* name_of(at::ScalarType type) {
  for (const auto& row : kNumberTypes) {
    if (type == row.type) return row.name;
  }
  throw std::invalid_argument(
      std::string("a tensor of type ") + c10::toString(type) +
      " cannot be saved; convert it to float32, float64, float16, bfloat16, "
      "int32 or int64");
}

}  // namespace

at::Tensor to_tensor(const base::TensorView& view, const std::string& where) {
  auto tensor = at::empty(view.shape, at::TensorOptions().dtype(type_of(view.dtype, where)));
  if (!view.data.empty()) {
    std::memcpy(tensor.mutable_data_ptr(), view.data.data(), view.data.size());
  }
  return tensor;
}

TensorFile load_tensors(const std::filesystem::path& path) {
  const auto file = base::SafetensorsFile::open(path);
  TensorFile result;
  result.metadata = file.metadata();
  for (const auto& [name, view] : file.tensors()) {
    result.tensors.emplace(
        name, to_tensor(view, path.string() + ": the tensor '" + base::excerpt(name) + "'"));
  }
  return result;
}

void check_finite(const at::Tensor& weights, const std::string& where) {
  if (weights.numel() == 0) return;
  const auto [least, most] = at::aminmax(weights.detach());  // NaN if there is one
  if (std::isfinite(least.item<double>()) && std::isfinite(most.item<double>())) return;
  throw std::invalid_argument(
      where + " contains numbers that are not finite; the model has diverged: train it again");
}

void save_tensors(const std::filesystem::path& path, const ParameterMap& tensors,
                  const std::map<std::string, std::string>& metadata) {
  std::map<std::string, base::TensorView> views;
  ParameterMap contiguous;  // keeps the copies alive that a strided tensor needs
  for (const auto& [name, tensor] : tensors) {
    const auto& dense = contiguous[name] = tensor.detach().contiguous();
    const auto* bytes = static_cast<const std::byte*>(dense.const_data_ptr());
    views[name] = {name_of(dense.scalar_type()), dense.sizes().vec(), {bytes, dense.nbytes()}};
  }
  base::write_safetensors(path, views, metadata);
}

}  // namespace fastformer::nn

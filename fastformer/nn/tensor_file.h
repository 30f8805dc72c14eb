#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "fastformer/base/safetensors.h"
#include "fastformer/nn/parameter_store.h"

namespace fastformer::nn {

/// Tensors and metadata of a safetensors file.
struct TensorFile {
  ParameterMap tensors;
  std::map<std::string, std::string> metadata;
};

/// Reads all tensors into memory. Throws std::invalid_argument with one sentence for a file that
/// base::SafetensorsFile rejects, and for element types other than F32, F64, F16, BF16, I32 and
/// I64.
///
///   const auto file = nn::load_tensors("model.safetensors");
///   nn::assign(model.parameters(), file.tensors, "model.safetensors");
TensorFile load_tensors(const std::filesystem::path& path);

/// Copies one tensor of a file. Throws as load_tensors does; `where` names file and tensor.
at::Tensor to_tensor(const base::TensorView& view, const std::string& where);

/// Throws std::invalid_argument that starts with `where` if a weight is infinite or NaN, because
/// all results would be meaningless.
void check_finite(const at::Tensor& weights, const std::string& where);

/// Writes atomically. Throws std::runtime_error if the file cannot be written.
void save_tensors(const std::filesystem::path& path, const ParameterMap& tensors,
                  const std::map<std::string, std::string>& metadata = {});

}  // namespace fastformer::nn

#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "fastformer/base/safetensors.h"
#include "fastformer/nn/parameter_store.h"

namespace fastformer::nn {

/// Tensors in a safetensors file, with the file's metadata.
struct TensorFile {
  ParameterMap tensors;
  std::map<std::string, std::string> metadata;
};

/// Reads every tensor into memory. Throws std::invalid_argument with one sentence for a file that
/// base::SafetensorsFile refuses, and for a number type other than F32, F64, F16, BF16, I32 and
/// I64.
///
///   const auto file = nn::load_tensors("model.safetensors");
///   nn::assign(model.parameters(), file.tensors, "model.safetensors");
TensorFile load_tensors(const std::filesystem::path& path);

/// A copy of one tensor of a file. Throws as load_tensors does; `where` names file and tensor.
at::Tensor to_tensor(const base::TensorView& view, const std::string& where);

/// Throws std::invalid_argument that starts with `where` for a weight that is infinite or no
/// number: nothing computed with it would mean anything.
void check_finite(const at::Tensor& weights, const std::string& where);

/// Writes atomically. Throws std::runtime_error if the file cannot be written.
void save_tensors(const std::filesystem::path& path, const ParameterMap& tensors,
                  const std::map<std::string, std::string>& metadata = {});

}  // namespace fastformer::nn

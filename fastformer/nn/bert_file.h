#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "fastformer/nn/parameter_store.h"

namespace fastformer::nn {

/// Copies the tensors of a BERT model's safetensors file into `parameters`, which have their names
/// without "bert."; see BertEncoder::load.
std::vector<std::string> load_bert(const std::filesystem::path& path,
                                   const ParameterMap& parameters);

}  // namespace fastformer::nn

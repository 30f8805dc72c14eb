#include "fastformer/nn/bert_file.h"

#include <set>
#include <sstream>
#include <stdexcept>

#include "fastformer/base/safetensors.h"
#include "fastformer/nn/tensor_file.h"

namespace fastformer::nn {
namespace {

// What every model of the family has, and by which its names are told.
constexpr const char* kLandmark = "embeddings.word_embeddings.weight";

std::string prefix_of(const base::SafetensorsFile& file) {
  for (const auto* prefix : {"", "bert."}) {
    if (file.tensors().contains(std::string(prefix) + kLandmark)) return prefix;
  }
  throw std::invalid_argument(file.path().string() + ": holds no tensor '" + kLandmark +
                              "', with or without 'bert.' before it; expected the weights of a "
                              "BERT model as Hugging Face's transformers saves them");
}

// The name that files converted from TensorFlow have for a parameter of a norm.
std::string early_name(std::string name) {
  const auto replace = [&](std::string_view ending, std::string_view early) {
    if (name.ends_with(ending)) name.replace(name.size() - ending.size(), ending.size(), early);
  };
  replace("LayerNorm.weight", "LayerNorm.gamma");
  replace("LayerNorm.bias", "LayerNorm.beta");
  return name;
}

void check(const base::TensorView& view, const at::Tensor& parameter, const std::string& where) {
  std::ostringstream shapes;
  if (at::IntArrayRef(view.shape) != parameter.sizes()) {
    shapes << "has the shape " << at::IntArrayRef(view.shape) << ", the config.json asks for "
           << parameter.sizes() << "; use the two files of one model";
  } else if (view.dtype != "F32" && view.dtype != "F64" && view.dtype != "F16" &&
             view.dtype != "BF16") {
    shapes << "holds numbers of the type " << view.dtype
           << ", expected F32, F64, F16 or BF16; convert it";
  }
  if (const auto fault = shapes.str(); !fault.empty()) {
    throw std::invalid_argument(where + " " + fault);
  }
}

}  // namespace

std::vector<std::string> load_bert(const std::filesystem::path& path,
                                   const ParameterMap& parameters) {
  const auto file = base::SafetensorsFile::open(path);
  const auto prefix = prefix_of(file);
  const auto where = [&](const std::string& name) {
    return path.string() + ": the tensor '" + name + "'";
  };
  std::map<std::string, std::string> names;  // in the file, of each parameter
  std::set<std::string> used;
  for (const auto& [own, parameter] : parameters) {
    auto name = prefix + own;
    if (!file.tensors().contains(name) && file.tensors().contains(early_name(name))) {
      name = early_name(name);
    }
    check(file.tensor(name), parameter, where(name));
    names[own] = name;
    used.insert(name);
  }
  const at::NoGradGuard no_gradients;
  for (const auto& [own, parameter] : parameters) {
    parameter.copy_(to_tensor(file.tensor(names[own]), where(names[own])));
  }
  std::vector<std::string> rest;
  for (const auto& entry : file.tensors()) {
    if (!used.contains(entry.first)) rest.push_back(entry.first);
  }
  return rest;
}

}  // namespace fastformer::nn

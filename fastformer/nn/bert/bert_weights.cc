#include "fastformer/nn/bert/bert_weights.h"

#include <sstream>
#include <stdexcept>
#include <string_view>

#include "fastformer/nn/tensor_file.h"

namespace fastformer::nn {
namespace {

// The prefix of the names in a file.
std::string bert_prefix(const base::SafetensorsFile& file) {
  for (const auto* prefix : {"", "bert."}) {
    if (file.tensors().contains(std::string(prefix) + kBertTokenTable)) return prefix;
  }
  throw std::invalid_argument(file.path().string() + ": holds no tensor '" + kBertTokenTable +
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

void check_bert_tensor(const base::TensorView& view, const std::vector<std::int64_t>& shape,
                       const std::string& where) {
  std::ostringstream fault;
  if (view.shape != shape) {
    fault << "has the shape " << at::IntArrayRef(view.shape) << ", the config.json asks for "
          << at::IntArrayRef(shape) << "; use the two files of one model";
  } else if (view.dtype != "F32" && view.dtype != "F64" && view.dtype != "F16" &&
             view.dtype != "BF16") {
    fault << "holds numbers of the type " << view.dtype
          << ", expected F32, F64, F16 or BF16; convert it";
  }
  if (const auto text = fault.str(); !text.empty()) {
    throw std::invalid_argument(where + " " + text);
  }
}

}  // namespace

BertWeights::BertWeights(const std::filesystem::path& path)
    : file_(base::SafetensorsFile::open(path)), prefix_(bert_prefix(file_)) {}

std::string BertWeights::name_in_file(const std::string& name) const {
  auto full = prefix_ + name;
  auto early = early_name(full);
  const bool is_early = !file_.tensors().contains(full) && file_.tensors().contains(early);
  return is_early ? early : full;
}

at::Tensor BertWeights::read(const std::string& name, const std::vector<std::int64_t>& shape,
                             at::ScalarType dtype) {
  const auto own = name_in_file(name);
  const auto& view = file_.tensor(own);
  const auto where = file_.path().string() + ": the tensor '" + own + "'";
  check_bert_tensor(view, shape, where);
  const auto values = to_tensor(view, where);
  check_finite(values, where);
  used_.insert(own);
  return values.to(dtype);
}

std::vector<std::string> BertWeights::unused() const {
  std::vector<std::string> rest;
  for (const auto& entry : file_.tensors()) {
    if (!used_.contains(entry.first)) rest.push_back(entry.first);
  }
  return rest;
}

}  // namespace fastformer::nn

#include "fastformer/nn/bert/bert_weights.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/printable.h"
#include "fastformer/base/strict_json.h"
#include "fastformer/nn/tensor_file.h"

namespace fastformer::nn {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* kSingleFile = "model.safetensors";
constexpr const char* kIndexFile = "model.safetensors.index.json";

bool replace(std::string& name, std::string_view part, std::string_view other) {
  const auto at = name.find(part);
  if (at == std::string::npos) return false;
  name.replace(at, part.size(), other);
  return true;
}

// The name that files converted from TensorFlow have for a parameter of a norm.
std::string early_name(std::string name) {
  replace(name, "LayerNorm.weight", "LayerNorm.gamma");
  replace(name, "LayerNorm.bias", "LayerNorm.beta");
  return name;
}

std::string distilled_name(std::string name) {
  constexpr std::array<std::pair<const char*, const char*>, 8> kParts = {
      {{".attention.self.query.", ".attention.q_lin."},
       {".attention.self.key.", ".attention.k_lin."},
       {".attention.self.value.", ".attention.v_lin."},
       {".attention.output.dense.", ".attention.out_lin."},
       {".attention.output.LayerNorm.", ".sa_layer_norm."},
       {".intermediate.dense.", ".ffn.lin1."},
       {".output.dense.", ".ffn.lin2."},
       {".output.LayerNorm.", ".output_layer_norm."}}};
  if (!name.starts_with("encoder.layer.")) return name;
  name.replace(0, std::string_view("encoder.").size(), "transformer.");
  for (const auto& [part, other] : kParts) {
    if (replace(name, part, other)) break;
  }
  return name;
}

// The shards that an index names, each once.
std::set<std::string> shards_of(const fs::path& index) {
  const auto json = base::parse_strict_json<Json>(base::read_small_file(index), index.string());
  const auto map = json.is_object() ? json.find("weight_map") : json.end();
  if (map == json.end() || !map->is_object()) {
    throw std::invalid_argument(index.string() +
                                ": has no weight_map, which names the file of each tensor; copy "
                                "the index of the model again");
  }
  std::set<std::string> shards;
  for (const auto& entry : map->items()) {
    const auto name = entry.value().is_string() ? entry.value().get<std::string>() : "";
    if (name.empty() || fs::path(name).filename() != name) {
      throw std::invalid_argument(index.string() + ": the tensor '" + base::excerpt(entry.key()) +
                                  "' is in " + base::excerpt(entry.value().dump()) +
                                  ", expected the name of a file in the same folder");
    }
    shards.insert(name);
  }
  return shards;
}

void check_bert_tensor(const base::TensorView& view, const std::vector<std::int64_t>& shape,
                       const std::string& where) {
  std::ostringstream fault;
  if (view.shape != shape) {
    fault << "has the shape " << at::IntArrayRef(view.shape) << ", but config.json requires "
          << at::IntArrayRef(shape) << "; use both files of the same model";
  } else if (view.dtype != "F32" && view.dtype != "F64" && view.dtype != "F16" &&
             view.dtype != "BF16") {
    fault << "has the type " << base::excerpt(view.dtype)
          << ", expected F32, F64, F16 or BF16; convert it";
  }
  if (const auto text = fault.str(); !text.empty()) {
    throw std::invalid_argument(where + " " + text);
  }
}

}  // namespace

fs::path bert_weights_file(const fs::path& folder) {
  for (const auto* name : {kSingleFile, kIndexFile}) {
    if (fs::exists(folder / name)) return folder / name;
  }
  for (const auto* name : {"pytorch_model.bin", "pytorch_model.bin.index.json"}) {
    if (!fs::exists(folder / name)) continue;
    const auto path = folder.string();
    throw std::invalid_argument(
        path + ": holds its weights in " + name + ", expected " + kSingleFile +
        "; convert them with: python -c \"from transformers import AutoModel; "
        "AutoModel.from_pretrained('" +
        path + "').save_pretrained('" + path + "')\"");
  }
  for (const auto* name : {"tf_model.h5", "flax_model.msgpack", "model.onnx"}) {
    if (!fs::exists(folder / name)) continue;
    throw std::invalid_argument(folder.string() + ": holds its weights in " + name + ", expected " +
                                kSingleFile +
                                "; download the model's weights in the safetensors format");
  }
  throw std::invalid_argument((folder / kSingleFile).string() +
                              ": does not exist; give the folder of a BERT model with config.json, "
                              "its weights and its vocabulary");
}

BertWeights::BertWeights(const fs::path& path) {
  const auto file = fs::is_directory(path) ? bert_weights_file(path) : path;
  if (file.extension() == ".json") {
    for (const auto& shard : shards_of(file)) {
      files_.push_back(base::SafetensorsFile::open(file.parent_path() / shard));
    }
  } else {
    files_.push_back(base::SafetensorsFile::open(file));
  }
  for (std::size_t i = 0; i < files_.size(); ++i) {
    for (const auto& entry : files_[i].tensors()) {
      const auto [first, inserted] = file_of_.emplace(entry.first, i);
      if (inserted) continue;
      throw std::invalid_argument(file.string() + ": the tensor '" + base::excerpt(entry.first) +
                                  "' is in two of its files; use the files of one model");
    }
  }
  find_prefix(file.string());
}

// Every model of the family has a token table.
void BertWeights::find_prefix(const std::string& path) {
  std::vector<std::string> prefixes;
  for (const auto& entry : file_of_) {
    const auto& name = entry.first;
    if (!name.ends_with(kBertTokenTable)) continue;
    auto prefix = name.substr(0, name.size() - std::string_view(kBertTokenTable).size());
    if (prefix.empty() || prefix.ends_with('.')) prefixes.push_back(std::move(prefix));
  }
  if (prefixes.empty()) {
    throw std::invalid_argument(path + ": holds no tensor '" + kBertTokenTable +
                                "', with or without a prefix such as 'bert.'; expected the weights "
                                "of a BERT model as Hugging Face's transformers saves them");
  }
  if (prefixes.size() > 1) {
    throw std::invalid_argument(path + ": holds several encoders, '" + base::excerpt(prefixes[0]) +
                                "' and '" + base::excerpt(prefixes[1]) +
                                "'; save one of them in a file of its own");
  }
  prefix_ = prefixes.front();
  const auto layers = file_of_.lower_bound(prefix_ + "transformer.layer.");
  distilled_ =
      layers != file_of_.end() && layers->first.starts_with(prefix_ + "transformer.layer.");
}

std::string BertWeights::name_in_file(const std::string& name) const {
  auto own = prefix_ + (distilled_ ? distilled_name(name) : name);
  if (file_of_.contains(own)) return own;
  auto early = prefix_ + early_name(name);
  return file_of_.contains(early) ? early : own;
}

const base::SafetensorsFile& BertWeights::file_with(const std::string& name_in_file) const {
  const auto found = file_of_.find(name_in_file);
  return files_[found == file_of_.end() ? 0 : found->second];
}

at::Tensor BertWeights::read(const std::string& name, const std::vector<std::int64_t>& shape,
                             at::ScalarType dtype) {
  const auto own = name_in_file(name);
  const auto& file = file_with(own);
  const auto& view = file.tensor(own);
  const auto where = file.path().string() + ": the tensor '" + base::excerpt(own) + "'";
  check_bert_tensor(view, shape, where);
  const auto values = to_tensor(view, where);
  check_finite(values, where);
  used_.insert(own);
  return values.to(dtype);
}

std::vector<std::string> BertWeights::unused() const {
  std::vector<std::string> rest;
  for (const auto& entry : file_of_) {
    if (!used_.contains(entry.first)) rest.push_back(entry.first);
  }
  return rest;
}

}  // namespace fastformer::nn

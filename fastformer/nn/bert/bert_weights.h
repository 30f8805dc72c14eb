#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "fastformer/base/safetensors.h"

namespace fastformer::nn {

/// The file in a folder that the weights begin with: model.safetensors, or the
/// model.safetensors.index.json that names its shards. Throws std::invalid_argument for a folder
/// that has neither, with the command that converts weights of another format.
std::filesystem::path bert_weights_file(const std::filesystem::path& folder);

/// The tensors of a BERT or DistilBERT model as Hugging Face's transformers saves them, under the
/// names that BERT has for them: without what stands before "embeddings.word_embeddings.weight",
/// which may be "bert.", "0.auto_model." or any other prefix; DistilBERT's names and the "gamma"
/// and "beta" of the first files are translated.
///
///   const auto weights = BertWeights::open("MiniLM");
///   const auto& view = weights.tensor("encoder.layer.0.output.dense.bias");
class BertWeights {
 public:
  /// `path` is the folder, or a .safetensors file or index in it. Throws std::invalid_argument for
  /// what is missing or damaged, and for files without a token table or with several.
  static BertWeights open(const std::filesystem::path& path);

  /// Throws std::invalid_argument naming the file and the nearest name in it.
  const base::TensorView& tensor(const std::string& name) const;
  /// "model.safetensors: the tensor 'bert.encoder...'", for messages.
  std::string where(const std::string& name) const;
  /// Tensors of the files that are not among `names`, by the names that they have there.
  std::vector<std::string> others(const std::vector<std::string>& names) const;

 private:
  BertWeights() = default;

  void find_prefix(const std::string& path);
  std::string name_in_file(const std::string& name) const;
  const base::SafetensorsFile& file_with(const std::string& name_in_file) const;

  std::vector<base::SafetensorsFile> files_;
  std::map<std::string, std::size_t> file_of_;  ///< of each tensor
  std::string prefix_;
  bool distilled_ = false;
};

}  // namespace fastformer::nn

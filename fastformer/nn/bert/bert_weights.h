#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "fastformer/base/safetensors.h"
#include "fastformer/nn/parameter_store.h"

namespace fastformer::nn {

/// The table that every model of the family has.
inline constexpr const char* kBertTokenTable = "embeddings.word_embeddings.weight";

/// The file in a folder that the weights begin with: model.safetensors, or the
/// model.safetensors.index.json that names its shards. Throws std::invalid_argument for a folder
/// without either, with the command that converts weights in another format.
std::filesystem::path bert_weights_file(const std::filesystem::path& folder);

/// The parameters of a BERT or DistilBERT model as saved by Hugging Face's transformers, with F32,
/// F64, F16 or BF16 numbers, under the names that BERT has for them: without the prefix of
/// kBertTokenTable, which may be "bert.", "0.auto_model." or any other; DistilBERT's names and the
/// "gamma" and "beta" of the first files are translated.
///
///   store.read_from("titles.", std::make_shared<nn::BertWeights>("MiniLM"));
class BertWeights final : public ParameterSource {
 public:
  /// `path` is the folder, or a .safetensors file or index in it. Throws std::invalid_argument for
  /// a missing or damaged file, and for files without a token table or with several.
  explicit BertWeights(const std::filesystem::path& path);

  /// Converted to `dtype`. Throws std::invalid_argument naming file and tensor if the tensor is
  /// missing, has another shape or is not finite.
  at::Tensor read(const std::string& name, const std::vector<std::int64_t>& shape,
                  at::ScalarType dtype) override;

  /// The tensors that were not read, such as those of the pooler, by their names in the files.
  std::vector<std::string> unused() const;

 private:
  void find_prefix(const std::string& path);
  std::string name_in_file(const std::string& name) const;
  const base::SafetensorsFile& file_with(const std::string& name_in_file) const;

  std::vector<base::SafetensorsFile> files_;
  std::map<std::string, std::size_t> file_of_;  ///< of each tensor
  std::string prefix_;
  bool distilled_ = false;
  std::set<std::string> used_;
};

}  // namespace fastformer::nn

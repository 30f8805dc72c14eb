#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "fastformer/base/safetensors.h"
#include "fastformer/nn/parameter_store.h"

namespace fastformer::nn {

/// The table that every model of the family has.
inline constexpr const char* kBertTokenTable = "embeddings.word_embeddings.weight";

/// The parameters of a BertEncoder in a model.safetensors of F32, F64, F16 or BF16 numbers. Names
/// may have "bert." before them, and norms may have "gamma" and "beta", as in the first files of
/// BERT.
class BertWeights final : public ParameterSource {
 public:
  /// Throws std::invalid_argument for a file without the token table, and as base::SafetensorsFile
  /// does.
  explicit BertWeights(const std::filesystem::path& path);

  /// Converted to `dtype`. Throws std::invalid_argument naming file and tensor for one that is
  /// missing, of another shape or not finite.
  at::Tensor read(const std::string& name, const std::vector<std::int64_t>& shape,
                  at::ScalarType dtype) override;

  /// The tensors that were not read, such as those of the pooler.
  std::vector<std::string> unused() const;

 private:
  std::string name_in_file(const std::string& name) const;

  base::SafetensorsFile file_;
  std::string prefix_;
  std::set<std::string> used_;
};

}  // namespace fastformer::nn

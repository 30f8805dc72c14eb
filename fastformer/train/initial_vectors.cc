#include "fastformer/train/initial_vectors.h"

#include <c10/core/GradMode.h>

#include "fastformer/base/format.h"
#include "fastformer/data/word_vectors.h"

namespace fastformer::train {

std::vector<std::string> load_word_vectors(const std::string& file,
                                           const text::Tokenizer& tokenizer,
                                           const nn::ParameterMap& parameters) {
  if (file.empty()) return {};
  const auto& table = parameters.at("embedding.token.weight");
  const auto vectors = data::read_word_vectors(file, tokenizer, table.size(1));
  const auto rows = static_cast<std::int64_t>(vectors.ids.size());
  const at::NoGradGuard no_gradient;
  table.index_copy_(0, at::tensor(vectors.ids, at::kLong),
                    at::tensor(vectors.values, at::kFloat).view({rows, table.size(1)}));
  return {base::format("word vectors: %s has %lld of %lld tokens (%.1f %%)", file.c_str(),
                       static_cast<long long>(rows), static_cast<long long>(table.size(0)),
                       100 * vectors.coverage(table.size(0)))};
}

}  // namespace fastformer::train

#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <string>

#include "fastformer/text/tokenizer.h"

namespace fastformer::tasks {

/// Gives the rows of `table` [V, d] of all tokens that a file of word vectors knows (GloVe,
/// word2vec as text) its vectors. Returns how many there were, a sentence for the user. Throws as
/// data::read_word_vectors does, for vectors of another width too.
std::string load_word_vectors(const std::filesystem::path& file, const text::Tokenizer& tokenizer,
                              const at::Tensor& table);

}  // namespace fastformer::tasks

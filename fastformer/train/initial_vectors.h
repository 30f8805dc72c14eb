#pragma once

#include <string>
#include <vector>

#include "fastformer/nn/parameter_store.h"
#include "fastformer/text/tokenizer.h"

namespace fastformer::train {

/// Copies vectors from a word vector file (GloVe, word2vec as text) to the rows of the table
/// `embedding.token.weight` [V, d] whose tokens it contains. Returns a sentence with their number;
/// empty if `file` is empty. Throws as data::read_word_vectors does, also for vectors of another
/// width.
std::vector<std::string> load_word_vectors(const std::string& file,
                                           const text::Tokenizer& tokenizer,
                                           const nn::ParameterMap& parameters);

}  // namespace fastformer::train

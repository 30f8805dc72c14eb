#pragma once

#include <string>
#include <vector>

#include "fastformer/nn/parameter_store.h"
#include "fastformer/text/tokenizer.h"

namespace fastformer::train {

/// Gives the rows of the table `embedding.token.weight` [V, d] of all tokens that a file of word
/// vectors knows (GloVe, word2vec as text) its vectors. Returns how many there were, a sentence for
/// the user; nothing where `file` is empty. Throws as data::read_word_vectors does, for vectors of
/// another width too.
std::vector<std::string> load_word_vectors(const std::string& file,
                                           const text::Tokenizer& tokenizer,
                                           const nn::ParameterMap& parameters);

}  // namespace fastformer::train

#pragma once

#include <string>
#include <vector>

#include "fastformer/nn/parameter_store.h"
#include "fastformer/text/tokenizer.h"

namespace fastformer::train {

/// Copies word vectors from a file (text format of GloVe or word2vec) to the table
/// `embedding.token.weight` [V, d], for the tokens that the file contains. Returns one sentence
/// with the number of these tokens; returns nothing and does nothing if `file` is empty. Throws as
/// data::read_word_vectors does, for example if the width of the vectors is not d.
std::vector<std::string> load_word_vectors(const std::string& file,
                                           const text::Tokenizer& tokenizer,
                                           const nn::ParameterMap& parameters);

}  // namespace fastformer::train

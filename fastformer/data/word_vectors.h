#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "fastformer/text/tokenizer.h"

namespace fastformer::data {

/// Pre-trained vectors of the tokens that a vocabulary and a file have in common.
struct WordVectors {
  std::vector<std::int64_t> ids;  ///< tokens that were found, in the order of the file
  std::vector<float> values;      ///< [ids.size(), width]

  /// Share of the vocabulary that was found, in [0, 1].
  double coverage(std::int64_t vocabulary_size) const;
};

/// Reads vectors in the text formats of GloVe (Pennington et al. 2014: a word and its numbers on
/// each line) and of word2vec (the same after a line "words width"), plain or compressed. A word is
/// compared as it is spelled; the first of several equal ones counts. Memory holds what was found.
///
/// Throws std::invalid_argument for vectors of another width, a binary file, one that has none of
/// the tokens, and, naming file and line, for a line without `width` finite numbers.
WordVectors read_word_vectors(const std::filesystem::path& path, const text::Tokenizer& tokenizer,
                              std::int64_t width);

}  // namespace fastformer::data

#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "fastformer/text/tokenizer.h"

namespace fastformer::data {

/// Pre-trained vectors of those tokens of a vocabulary that a file contains.
struct WordVectors {
  std::vector<std::int64_t> ids;  ///< the tokens found, in the order of the file
  std::vector<float> values;      ///< [ids.size(), width]

  /// Fraction of the vocabulary that was found, in [0, 1].
  double coverage(std::int64_t vocabulary_size) const;
};

/// Reads vectors in the text formats of GloVe (Pennington et al. 2014: a word and its numbers per
/// line) and word2vec (the same after a line "words width"), plain or compressed. Spellings must
/// match exactly; the first of equal words counts. Only matching vectors are kept in memory.
///
/// Throws std::invalid_argument for vectors of another width, a binary file, a file without any of
/// the tokens, and, naming file and line, for a line without `width` finite numbers.
WordVectors read_word_vectors(const std::filesystem::path& path, const text::Tokenizer& tokenizer,
                              std::int64_t width);

}  // namespace fastformer::data

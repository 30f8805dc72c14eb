#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace fastformer::text {

/// What a tokenizer.json of Hugging Face's package tokenizers says of BERT's tokenizer.
struct WordPieceJson {
  std::vector<std::string> tokens;  ///< by id; an id that no token has is an empty one
  bool lowercase = true;
  bool strip_accents = true;

  /// Throws std::invalid_argument that names the file and what differs from BERT's tokenizer: a
  /// model of another type, such as Unigram or BPE, other rules for cutting words, or added tokens.
  static WordPieceJson read(const std::filesystem::path& path);
  /// Whether a file is such a tokenizer.json, of any model, and not one that Tokenizer::save wrote.
  static bool is_one(const std::filesystem::path& path);
};

}  // namespace fastformer::text

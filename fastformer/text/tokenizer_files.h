#pragma once

#include <algorithm>
#include <filesystem>
#include <string_view>

#include "fastformer/text/tokenizer.h"

/// Shared by the tokenizers: names of their files, and the part of a text that they process.
namespace fastformer::text {

inline constexpr const char* kVocabularyFile = "vocab.txt";
inline constexpr const char* kSentencePieceFile = "tokenizer.model";

/// Writes tokenizer.json: the configuration and a format version.
void save_configuration(const std::filesystem::path& directory, const TokenizerConfig& config);

/// The beginning of `text` that suffices for `limit` tokens: 256 bytes per token, at least 64 KiB,
/// cut between characters. For 512 tokens of a 100 MB document, 128 KiB are processed.
inline std::string_view head(std::string_view text, std::size_t limit) {
  constexpr std::size_t kBytesPerToken = 256, kLeast = 65'536;
  if (limit >= text.size() / kBytesPerToken) return text;
  std::size_t size = std::max(limit * kBytesPerToken, kLeast);
  if (size >= text.size()) return text;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  return text.substr(0, size);
}

}  // namespace fastformer::text

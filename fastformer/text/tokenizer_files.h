#pragma once

#include <algorithm>
#include <filesystem>
#include <string_view>

#include "fastformer/text/tokenizer.h"

/// What the tokenizers of the registry share: their files, and the part of a text they look at.
namespace fastformer::text {

inline constexpr const char* kVocabularyFile = "vocab.txt";
inline constexpr const char* kSentencePieceFile = "tokenizer.model";

/// Writes tokenizer.json: the configuration with a format version.
void save_configuration(const std::filesystem::path& directory, const TokenizerConfig& config);

/// Enough of `text` for `limit` tokens: 256 bytes per token, at least 64 KiB, cut at a character. A
/// document of 100 MB that keeps 512 tokens costs its first 128 KiB.
inline std::string_view head(std::string_view text, std::size_t limit) {
  constexpr std::size_t kBytesPerToken = 256, kLeast = 65'536;
  if (limit >= text.size() / kBytesPerToken) return text;
  std::size_t size = std::max(limit * kBytesPerToken, kLeast);
  if (size >= text.size()) return text;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  return text.substr(0, size);
}

}  // namespace fastformer::text

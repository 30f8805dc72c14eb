#include "fastformer/linear/ngrams.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "fastformer/base/random.h"
#include "fastformer/text/word_tokenizer.h"

namespace fastformer::linear {
namespace {

constexpr std::size_t kMaximumTextWords = 65536;
constexpr std::uint64_t kBorder = 0x20;
constexpr std::uint64_t kFactor = 0x9E3779B97F4A7C15;

std::uint64_t hash_of(std::string_view word) {
  std::uint64_t hash = word.size() * kFactor;
  while (!word.empty()) {
    std::uint64_t block = 0;
    const auto bytes = std::min<std::size_t>(word.size(), sizeof block);
    std::memcpy(&block, word.data(), bytes);
    hash = base::mix64(hash ^ block) * kFactor;
    word.remove_prefix(bytes);
  }
  return base::mix64(hash);
}

bool begins_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }

}  // namespace

std::string Ngram::spelling() const {
  if (key.kind() == NgramKind::kWords) return std::string(text);
  return (begins_word ? "^" : "") + std::string(text) + (ends_word ? "$" : "");
}

NgramReader::NgramReader(const NgramConfig& config, const text::TokenizerConfig& text)
    : config_(config), normalizer_(text) {
  const bool fits = config.words >= 0 && config.words <= NgramConfig::kMaximumWords &&
                    config.characters >= 0 && config.characters <= NgramConfig::kMaximumCharacters;
  if (!fits) {
    throw std::invalid_argument("n-grams of " + std::to_string(config.words) + " words and " +
                                std::to_string(config.characters) +
                                " characters; expected at most " +
                                std::to_string(NgramConfig::kMaximumWords) + " and " +
                                std::to_string(NgramConfig::kMaximumCharacters));
  }
}

void NgramReader::visit(std::string_view text, const std::function<void(const Ngram&)>& use) const {
  visit_words(text, [&](const NgramWord& word) {
    for (const auto& ngram : word.sequences) use(ngram);
    visit_characters(word.text, use);
  });
}

void NgramReader::visit_words(std::string_view text,
                              const std::function<void(const NgramWord&)>& use) const {
  const auto normalized = normalizer_.normalize(text);
  // The last words: their hashes and where they begin.
  std::array<std::uint64_t, NgramConfig::kMaximumWords> hashes = {};
  std::array<const char*, NgramConfig::kMaximumWords> begins = {};
  std::array<Ngram, NgramConfig::kMaximumWords> sequences = {};
  std::size_t count = 0;
  text::visit_words(normalized, [&](std::string_view word) {
    const auto at = count % hashes.size();
    hashes[at] = hash_of(word);
    begins[at] = word.data();
    ++count;
    const auto longest = std::min(count, static_cast<std::size_t>(config_.words));
    const char* const end = word.data() + word.size();
    std::uint64_t hash = 0;
    for (std::size_t n = 1; n <= longest; ++n) {
      const auto first = (count - n) % hashes.size();
      hash = base::mix64(hash * kFactor + hashes[first]);
      sequences[n - 1] = {
          NgramKey::of_words(hash, static_cast<std::int64_t>(n)),
          std::string_view(begins[first], static_cast<std::size_t>(end - begins[first]))};
    }
    use({word, NgramKey::of_words(hashes[at], 1), std::span(sequences).first(longest)});
    return count < kMaximumTextWords;
  });
}

// The borders count as one character each.
void NgramReader::visit_characters(std::string_view word,
                                   const std::function<void(const Ngram&)>& use) const {
  if (config_.characters == 0) return;
  std::vector<std::uint32_t> starts;
  starts.reserve(word.size() + 1);
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (begins_character(word[i])) starts.push_back(static_cast<std::uint32_t>(i));
  }
  starts.push_back(static_cast<std::uint32_t>(word.size()));
  const auto characters = std::ssize(starts) - 1;
  // Position 0 is the border before the word, `characters` + 1 the one behind it.
  for (std::int64_t first = 0; first <= characters; ++first) {
    std::uint64_t hash = kFactor;
    for (std::int64_t last = first; last <= characters + 1 && last - first < config_.characters;
         ++last) {
      if (last == 0 || last == characters + 1) {
        hash = (hash ^ kBorder) * kFactor;
      } else {
        for (auto i = starts[last - 1]; i < starts[last]; ++i) {
          hash = (hash ^ static_cast<unsigned char>(word[i])) * kFactor;
          hash ^= hash >> 32;
        }
      }
      if (last - first + 1 < NgramConfig::kMinimumCharacters) continue;
      const auto begin = first == 0 ? 0 : starts[first - 1];
      const auto end = last > characters ? word.size() : starts[last];
      use({NgramKey::of_characters(base::mix64(hash)), word.substr(begin, end - begin), first == 0,
           last > characters});
    }
  }
}

}  // namespace fastformer::linear

#include "fastformer/text/wordpiece_tokenizer.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "fastformer/text/tokenizer_files.h"

namespace fastformer::text {
namespace {

// BERT's notion: Unicode punctuation, and every ASCII symbol.
bool is_punctuation(UChar32 c) {
  const bool ascii_symbol = (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) ||
                            (c >= 123 && c <= 126);
  return ascii_symbol || u_ispunct(c);
}

// BERT treats every ideograph as a word.
bool is_ideograph(UChar32 c) { return u_hasBinaryProperty(c, UCHAR_UNIFIED_IDEOGRAPH); }

// BERT drops what has no shape of its own: NUL, U+FFFD, controls other than tabs and line ends, and
// characters of format, private use or no assignment.
bool is_dropped(UChar32 c) {
  if (c == '\t' || c == '\n' || c == '\r') return false;
  constexpr auto kOther = U_GC_C_MASK;
  return c < 0 || c == 0xFFFD || (U_GET_GC_MASK(c) & kOther) != 0;
}

std::string without_dropped(std::string_view text) {
  std::string kept;
  kept.reserve(text.size());
  const auto size = static_cast<int32_t>(text.size());
  for (int32_t i = 0; i < size;) {
    const int32_t at = i;
    UChar32 c;
    U8_NEXT(text.data(), i, size, c);
    if (!is_dropped(c)) kept.append(text.substr(at, i - at));
  }
  return kept;
}

std::size_t count_characters(std::string_view word) {
  return std::count_if(word.begin(), word.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

// Calls `visit` with each word of BERT's basic tokenization until it returns false.
void visit_basic_words(std::string_view text, const std::function<bool(std::string_view)>& visit) {
  const auto size = static_cast<int32_t>(text.size());
  int32_t begin = 0;
  const auto flush = [&](int32_t end) {
    return begin == end || visit(text.substr(begin, end - begin));
  };
  for (int32_t i = 0; i < size;) {
    const int32_t at = i;
    UChar32 c;
    U8_NEXT(text.data(), i, size, c);
    const bool alone = is_punctuation(c) || is_ideograph(c);
    if (!alone && !u_isUWhiteSpace(c)) continue;
    if (!flush(at) || (alone && !visit(text.substr(at, i - at)))) return;
    begin = i;
  }
  flush(size);
}

std::size_t character_start(std::string_view word, std::size_t i) {
  while (i > 0 && i < word.size() && (static_cast<unsigned char>(word[i]) & 0xC0) == 0x80) --i;
  return i;
}

}  // namespace

WordPieceTokenizer::WordPieceTokenizer(const TokenizerConfig& config, Vocabulary vocabulary)
    : config_(config), normalizer_(config), vocabulary_(std::move(vocabulary)) {}

std::unique_ptr<Tokenizer> WordPieceTokenizer::train(const TokenizerConfig& config,
                                                     const TextSource& /*texts*/) {
  if (config.model_file.empty()) {
    throw std::invalid_argument(
        "text.tokenizer = \"wordpiece\" needs text.model_file, the vocab.txt of a BERT model");
  }
  return std::make_unique<WordPieceTokenizer>(config, Vocabulary::load(config.model_file));
}

void WordPieceTokenizer::visit_pieces(
    std::string_view text, const std::function<bool(std::string_view, std::int32_t)>& visit) const {
  constexpr std::size_t kLongestWord = 100;
  std::vector<std::pair<std::string, std::int32_t>> pieces;
  visit_basic_words(without_dropped(text), [&](std::string_view word) {
    pieces.clear();
    if (count_characters(word) > kLongestWord) return visit(word, vocabulary_.unknown_id());
    std::size_t begin = 0;
    while (begin < word.size()) {
      std::size_t end = word.size();
      std::string piece;
      for (; end > begin; end = character_start(word, end - 1)) {
        piece = (begin > 0 ? "##" : "") + std::string(word.substr(begin, end - begin));
        if (vocabulary_.contains(piece)) break;
      }
      if (end <= begin) break;
      pieces.emplace_back(piece, vocabulary_.id(piece));
      begin = end;
    }
    if (begin < word.size()) return visit(word, vocabulary_.unknown_id());
    for (const auto& [piece, id] : pieces) {
      if (!visit(piece, id)) return false;
    }
    return true;
  });
}

void WordPieceTokenizer::encode(std::string_view text, std::vector<std::int32_t>& ids,
                                std::size_t limit) const {
  if (limit == 0) return;
  std::size_t count = 0;
  visit_pieces(normalizer_.normalize(head(text, limit)), [&](std::string_view, std::int32_t id) {
    ids.push_back(id);
    return ++count < limit;
  });
}

std::vector<std::string> WordPieceTokenizer::tokens(std::string_view text,
                                                    std::size_t limit) const {
  std::vector<std::string> pieces;
  if (limit == 0) return pieces;
  visit_pieces(normalizer_.normalize(head(text, limit)), [&](std::string_view piece, std::int32_t) {
    pieces.emplace_back(piece);
    return pieces.size() < limit;
  });
  return pieces;
}

std::string WordPieceTokenizer::decode(std::span<const std::int32_t> ids) const {
  std::string text;
  for (const auto id : ids) {
    const auto& piece = vocabulary_.token(id);
    const bool continues = piece.starts_with("##") && !text.empty();
    text += continues ? piece.substr(2) : (text.empty() ? "" : " ") + piece;
  }
  return text;
}

void WordPieceTokenizer::save(const std::filesystem::path& directory) const {
  save_configuration(directory, config_);
  vocabulary_.save(directory / kVocabularyFile);
}

}  // namespace fastformer::text

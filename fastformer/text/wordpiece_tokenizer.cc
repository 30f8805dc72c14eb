#include "fastformer/text/wordpiece_tokenizer.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "fastformer/text/tokenizer_files.h"
#include "fastformer/text/tokenizer_json.h"

namespace fastformer::text {
namespace {

constexpr const char* kClassToken = "[CLS]";
constexpr const char* kSeparatorToken = "[SEP]";

// The vocabularies were made with the properties of Unicode 8. What came later has none of them.
bool is_of_unicode_8(UChar32 c) {
  UVersionInfo version;
  u_charAge(c, version);
  return version[0] > 0 && version[0] <= 8;
}

// BERT's notion: Unicode punctuation, and every ASCII symbol. Two signs changed their kind later.
bool is_punctuation(UChar32 c) {
  if (c < 0x80) {
    return (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) ||
           (c >= 123 && c <= 126);
  }
  constexpr UChar32 kSyllabicsChiSign = 0x166D, kSharadaSandhiMark = 0x111C9;
  if (c == kSyllabicsChiSign || c == kSharadaSandhiMark) return true;
  return u_ispunct(c) && is_of_unicode_8(c);
}

// BERT treats every ideograph as a word, by this list of ranges, which has a hole at 2B820.
bool is_ideograph(UChar32 c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
         (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B81F) ||
         (c >= 0x2B920 && c <= 0x2CEAF) || (c >= 0xF900 && c <= 0xFAFF) ||
         (c >= 0x2F800 && c <= 0x2FA1F);
}

// BERT drops what has no shape of its own: NUL, U+FFFD, controls other than tabs and line ends, and
// characters of format or private use.
bool is_dropped(UChar32 c) {
  if (c == '\t' || c == '\n' || c == '\r') return false;
  if (c >= 0x20 && c < 0x7F) return false;
  constexpr auto kShapeless = U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CO_MASK | U_GC_CS_MASK;
  return c < 0 || c == 0xFFFD || ((U_GET_GC_MASK(c) & kShapeless) != 0 && is_of_unicode_8(c));
}

void append(UChar32 c, std::string& text) {
  char bytes[U8_MAX_LENGTH];
  int32_t length = 0;
  U8_APPEND_UNSAFE(bytes, length, c);
  text.append(bytes, length);
}

// Without what is dropped; in lower case character by character, so that no Greek sigma is final.
std::string cleaned(std::string_view text, bool lowercase) {
  constexpr UChar32 kDottedCapitalI = 0x130;  // alone in becoming two characters
  std::string kept;
  kept.reserve(text.size());
  const auto size = icu_size(text);
  for (int32_t i = 0; i < size;) {
    UChar32 c;
    U8_NEXT(text.data(), i, size, c);
    if (is_dropped(c)) continue;
    if (lowercase && c == kDottedCapitalI) {
      kept += "i\u0307";
    } else {
      append(lowercase ? u_tolower(c) : c, kept);
    }
  }
  return kept;
}

TokenizerConfig without_lowercase(TokenizerConfig config) {
  config.lowercase = false;
  return config;
}

std::size_t count_characters(std::string_view word) {
  return std::count_if(word.begin(), word.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

// Calls `visit` with each word of BERT's basic tokenization until it returns false.
void visit_basic_words(std::string_view text, const std::function<bool(std::string_view)>& visit) {
  const auto size = icu_size(text);
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
    : config_(config), normalizer_(without_lowercase(config)), vocabulary_(std::move(vocabulary)) {
  if (!framed()) return;
  class_id_ = special_id(kClassToken);
  separator_id_ = special_id(kSeparatorToken);
}

std::int32_t WordPieceTokenizer::special_id(std::string_view token) const {
  if (!vocabulary_.contains(token)) {
    throw std::invalid_argument("text.special_tokens needs " + std::string(token) +
                                ", which the vocabulary does not have; use that of a BERT "
                                "model, or remove special_tokens");
  }
  return vocabulary_.id(token);
}

std::unique_ptr<Tokenizer> WordPieceTokenizer::train(const TokenizerConfig& config,
                                                     const TextSource& /*texts*/) {
  if (config.model_file.empty()) {
    throw std::invalid_argument(
        "text.tokenizer = \"wordpiece\" needs text.model_file; set it to the vocab.txt or "
        "tokenizer.json of a BERT model");
  }
  auto vocabulary = config.model_file.ends_with(".json")
                        ? Vocabulary::from_tokens(WordPieceJson::read(config.model_file).tokens,
                                                  config.model_file)
                        : Vocabulary::load(config.model_file);
  return std::make_unique<WordPieceTokenizer>(config, std::move(vocabulary));
}

void WordPieceTokenizer::visit_pieces(
    std::string_view text, const std::function<bool(std::string_view, std::int32_t)>& visit) const {
  constexpr std::size_t kLongestWord = 100;
  std::vector<std::pair<std::string, std::int32_t>> pieces;
  visit_basic_words(cleaned(text, config_.lowercase), [&](std::string_view word) {
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

// The tokens of a text, `limit` at most, with those around it.
void WordPieceTokenizer::visit_tokens(
    std::string_view text, std::size_t limit,
    const std::function<void(std::string_view, std::int32_t)>& visit) const {
  if (limit == 0) return;
  if (framed()) visit(kClassToken, class_id_);
  if (framed() && limit == 1) return;
  const std::size_t room = framed() && limit != kNoLimit ? limit - 2 : limit;
  std::size_t count = 0;
  if (room > 0) {
    visit_pieces(normalizer_.normalize(head(text, room)), [&](std::string_view piece, auto id) {
      visit(piece, id);
      return ++count < room;
    });
  }
  if (framed()) visit(kSeparatorToken, separator_id_);
}

void WordPieceTokenizer::encode(std::string_view text, std::vector<std::int32_t>& ids,
                                std::size_t limit) const {
  visit_tokens(text, limit, [&](std::string_view, std::int32_t id) { ids.push_back(id); });
}

std::vector<std::string> WordPieceTokenizer::tokens(std::string_view text,
                                                    std::size_t limit) const {
  std::vector<std::string> pieces;
  visit_tokens(text, limit,
               [&](std::string_view piece, std::int32_t) { pieces.emplace_back(piece); });
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

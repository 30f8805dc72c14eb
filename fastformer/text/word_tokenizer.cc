#include "fastformer/text/word_tokenizer.h"

#include <array>
#include <stdexcept>
#include <utility>

#include "fastformer/text/tokenizer_files.h"

namespace fastformer::text {
namespace {

enum class Kind : unsigned char { kSpace, kWord, kPunctuation, kRepeating };

constexpr std::array<Kind, 256> kinds() {
  std::array<Kind, 256> table{};
  for (int c = 0; c < 256; ++c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool digit = c >= '0' && c <= '9';
    if (c <= ' ' || c == 0x7F) {
      table[c] = Kind::kSpace;
    } else if (letter || digit || c >= 0x80 || c == '_') {
      table[c] = Kind::kWord;  // bytes of other scripts are kept together; see multi_byte below
    } else if (c == '.' || c == '-' || c == '*' || c == '=') {
      table[c] = Kind::kRepeating;
    } else {
      table[c] = Kind::kPunctuation;
    }
  }
  return table;
}
constexpr auto kKinds = kinds();

Kind kind(char c) { return kKinds[static_cast<unsigned char>(c)]; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Length of the punctuation in U+2000..U+206F or U+3000..U+303F (typographic quotes, dashes,
// ideographic stops) at the head of `text`, else 0.
std::size_t multi_byte_mark(std::string_view text) {
  if (text.size() < 3 || text[0] != '\xE2') {
    return text.size() >= 3 && text[0] == '\xE3' && text[1] == '\x80' ? 3 : 0;
  }
  return text[1] == '\x80' || (text[1] == '\x81' && text[2] <= '\xAF') ? 3 : 0;
}

// Whether the mark at `i` joins the characters around it into one word: the dots of u.s. and 3.5,
// the commas of 10,000, the hyphens of well-known, the apostrophe of o'clock.
bool joins(std::string_view text, std::size_t i) {
  if (i == 0 || i + 1 >= text.size()) return false;
  const char before = text[i - 1], after = text[i + 1];
  if (kind(before) != Kind::kWord || kind(after) != Kind::kWord) return false;
  switch (text[i]) {
    case '.':
    case '-':
    case '\'':
      return true;
    case ',':
    case ':':
      return is_digit(before) && is_digit(after);
    default:
      return false;
  }
}

std::size_t word_end(std::string_view text, std::size_t begin) {
  std::size_t i = begin;
  while (i < text.size()) {
    if (kind(text[i]) == Kind::kWord) {
      if (multi_byte_mark(text.substr(i)) > 0) break;
      ++i;
    } else if (joins(text, i)) {
      ++i;
    } else {
      break;
    }
  }
  // "u.s." keeps its last dot: a dot that ends a word which has dots inside.
  if (i < text.size() && text[i] == '.' && i >= begin + 3 && text[i - 2] == '.') ++i;
  return i;
}

// Where a contraction splits: do|n't, they|'re, john|'s. Returns word.size() when none.
std::size_t contraction(std::string_view word) {
  const auto mark = word.rfind('\'');
  if (mark == std::string_view::npos || mark == 0) return word.size();
  std::string tail;
  for (const char c : word.substr(mark + 1).substr(0, 3)) tail += lower(c);
  if (tail == "t" && mark >= 2 && lower(word[mark - 1]) == 'n') return mark - 1;
  for (const char* known : {"s", "m", "d", "ll", "re", "ve"}) {
    if (tail == known) return mark;
  }
  return word.size();
}

}  // namespace

void visit_words(std::string_view text, const std::function<bool(std::string_view)>& visit) {
  std::size_t i = 0;
  while (i < text.size()) {
    std::size_t end = i + 1;
    switch (kind(text[i])) {
      case Kind::kSpace:
        ++i;
        continue;
      case Kind::kWord: {
        if (const auto mark = multi_byte_mark(text.substr(i)); mark > 0) {
          end = i + mark;
          break;
        }
        end = word_end(text, i);
        const auto word = text.substr(i, end - i);
        const auto cut = contraction(word);
        if (cut < word.size()) {
          if (!visit(word.substr(0, cut))) return;
          i += cut;
        }
        break;
      }
      case Kind::kRepeating:
        while (end < text.size() && text[end] == text[i]) ++end;
        break;
      case Kind::kPunctuation:
        break;
    }
    if (!visit(text.substr(i, end - i))) return;
    i = end;
  }
}

WordTokenizer::WordTokenizer(const TokenizerConfig& config, Vocabulary vocabulary)
    : config_(config), normalizer_(config), vocabulary_(std::move(vocabulary)) {}

std::unique_ptr<Tokenizer> WordTokenizer::train(const TokenizerConfig& config,
                                                const TextSource& texts) {
  const Normalizer normalizer(config);
  TokenCounts counts;
  texts([&](std::string_view text) {
    visit_words(normalizer.normalize(text), [&](std::string_view word) {
      const auto found = counts.find(word);
      if (found != counts.end()) {
        ++found->second;
      } else {
        counts.emplace(word, 1);
      }
      return true;
    });
  });
  if (counts.empty()) {
    throw std::invalid_argument(
        "the training text holds no word, so there is no vocabulary to learn; check "
        "the files and the columns that are read of them (data.text_columns, data.title_columns)");
  }
  return std::make_unique<WordTokenizer>(
      config, Vocabulary::from_counts(counts, config.minimum_count, config.vocabulary_size));
}

void WordTokenizer::encode(std::string_view text, std::vector<std::int32_t>& ids,
                           std::size_t limit) const {
  if (limit == 0) return;
  std::size_t count = 0;
  visit_words(normalizer_.normalize(head(text, limit)), [&](std::string_view word) {
    ids.push_back(vocabulary_.id(word));
    return ++count < limit;
  });
}

std::vector<std::string> WordTokenizer::tokens(std::string_view text, std::size_t limit) const {
  std::vector<std::string> words;
  if (limit == 0) return words;
  visit_words(normalizer_.normalize(head(text, limit)), [&](std::string_view word) {
    words.emplace_back(word);
    return words.size() < limit;
  });
  return words;
}

void WordTokenizer::save(const std::filesystem::path& directory) const {
  save_configuration(directory, config_);
  vocabulary_.save(directory / kVocabularyFile);
}

}  // namespace fastformer::text

#include "fastformer/text/word_tokenizer.h"

#include <array>
#include <optional>
#include <stdexcept>
#include <utility>

#include "fastformer/base/ascii.h"
#include "fastformer/text/character_class.h"
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
      table[c] = Kind::kWord;  // of other bytes, character_at() tells
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

bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }

bool is_letter_at(std::string_view text, std::size_t i) {
  if (i >= text.size()) return false;
  if (is_ascii(text[i])) return kind(text[i]) == Kind::kWord;
  return character_at(text.substr(i)).kind == CharacterClass::kLetter;
}

// Bytes of the character at `i`, which is not of ASCII, where it belongs to the word before it; 0
// where the word ends.
std::size_t character_of_word(std::string_view text, std::size_t i) {
  const auto [found, length] = character_at(text.substr(i));
  const bool inside = found == CharacterClass::kMiddle || found == CharacterClass::kJoiner;
  const bool belongs =
      found == CharacterClass::kLetter || (inside && is_letter_at(text, i + length));
  return belongs ? length : 0;
}

std::size_t word_end(std::string_view text, std::size_t begin) {
  std::size_t i = begin;
  while (i < text.size()) {
    if (!is_ascii(text[i])) {
      const std::size_t length = character_of_word(text, i);
      if (length == 0) break;
      i += length;
    } else if (kind(text[i]) == Kind::kWord || joins(text, i)) {
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
  for (const char c : word.substr(mark + 1).substr(0, 3)) tail += base::ascii_lowercase(c);
  if (tail == "t" && mark >= 2 && base::ascii_lowercase(word[mark - 1]) == 'n') return mark - 1;
  for (const char* known : {"s", "m", "d", "ll", "re", "ve"}) {
    if (tail == known) return mark;
  }
  return word.size();
}

// Where the run of blanks, the token or the words end that begin with the character at `i`, which
// is not of ASCII and no letter; those tokens are visited. Nothing once `visit` has returned false.
std::optional<std::size_t> visit_other(std::string_view text, std::size_t i, Character character,
                                       const std::function<bool(std::string_view)>& visit) {
  const auto rest = text.substr(i);
  std::size_t length = character.length;
  switch (character.kind) {
    case CharacterClass::kSpace:
    case CharacterClass::kJoiner:
      return i + length;
    case CharacterClass::kDictionary:
      length = dictionary_run(rest);
      if (!visit_dictionary_words(rest.substr(0, length), visit)) return std::nullopt;
      return i + length;
    case CharacterClass::kEmoji:
      length = emoji_length(rest);
      break;
    default:
      break;
  }
  if (!visit(rest.substr(0, length))) return std::nullopt;
  return i + length;
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
        if (!is_ascii(text[i])) {
          const auto character = character_at(text.substr(i));
          if (character.kind != CharacterClass::kLetter) {
            const auto stop = visit_other(text, i, character, visit);
            if (!stop) return;
            i = *stop;
            continue;
          }
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

namespace {

TokenCounts count_words(const TokenizerConfig& config, const TextSource& texts) {
  const Normalizer normalizer(config);
  TokenCounter counter;
  texts([&](std::string_view text) {
    visit_words(normalizer.normalize(text), [&](std::string_view word) {
      counter.add(word);
      return true;
    });
  });
  auto counts = counter.take();
  if (counts.empty()) {
    throw std::invalid_argument(
        "the training texts contain no words, so there is no vocabulary to learn; check the files "
        "and the columns that are read (data.text_columns, data.title_columns)");
  }
  return counts;
}

}  // namespace

std::unique_ptr<Tokenizer> WordTokenizer::train(const TokenizerConfig& config,
                                                const TextSource& texts) {
  return std::make_unique<WordTokenizer>(
      config, Vocabulary::from_counts(count_words(config, texts), config.minimum_count,
                                      config.vocabulary_size));
}

std::unique_ptr<Tokenizer> WordTokenizer::extend(const TokenizerConfig& config,
                                                 const std::filesystem::path& directory,
                                                 const TextSource& texts) {
  return std::make_unique<WordTokenizer>(
      config,
      Vocabulary::load(directory / kVocabularyFile)
          .extended(count_words(config, texts), config.minimum_count, config.vocabulary_size));
}

void WordTokenizer::encode(std::string_view text, std::vector<std::int32_t>& ids,
                           std::size_t limit) const {
  if (limit == 0) return;
  // The vocabulary's entry for a word is loaded while the next words are read.
  struct Word {
    std::string_view text;
    std::uint64_t hash = 0;
  };
  constexpr std::size_t kWaiting = 16;
  std::array<Word, kWaiting> waiting;
  std::size_t count = 0, done = 0;
  const auto look_up = [&] {
    const auto& word = waiting[done++ % kWaiting];
    ids.push_back(vocabulary_.id(word.text, word.hash));
  };
  const auto normalized = normalizer_.normalize(head(text, limit));
  visit_words(normalized, [&](std::string_view word) {
    if (count - done == kWaiting) look_up();
    const auto hash = TokenTable::hash_of(word);
    vocabulary_.prefetch(hash);
    waiting[count % kWaiting] = {word, hash};
    return ++count < limit;
  });
  while (done < count) look_up();
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

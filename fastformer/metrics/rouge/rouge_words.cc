#include "fastformer/metrics/rouge/rouge_words.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>

#include "fastformer/metrics/rouge/porter_stemmer.h"
#include "fastformer/text/character_class.h"
#include "fastformer/text/word_tokenizer.h"

namespace fastformer::metrics {

namespace {

// The letter or digit that a byte of a word becomes; 0 for a byte that separates words.
constexpr std::array<char, 256> kWordBytes = [] {
  std::array<char, 256> bytes{};
  for (std::size_t c = '0'; c <= '9'; ++c) bytes[c] = static_cast<char>(c);
  for (std::size_t c = 'a'; c <= 'z'; ++c) bytes[c] = bytes[c - 'a' + 'A'] = static_cast<char>(c);
  return bytes;
}();

// The only characters outside ASCII whose lower case begins with a letter of ASCII.
constexpr std::string_view kDottedCapitalI = "\xC4\xB0", kKelvinSign = "\xE2\x84\xAA";

}  // namespace

std::int32_t RougeWords::number_in(Numbers& numbers, const std::string& word) {
  const auto [entry, inserted] = numbers.try_emplace(word, next_);
  if (inserted) ++next_;
  return entry->second;
}

std::int32_t RougeWords::number_of(const std::string& word) {
  if (!stem_) return number_in(numbers_, word);
  const auto known = numbers_.find(word);
  if (known != numbers_.end()) return known->second;
  const std::int32_t number = number_in(stems_, word.size() > 3 ? porter_stem(word) : word);
  numbers_.emplace(word, number);
  return number;
}

NumberedWords RougeWords::number(std::string_view text) {
  return tokens_ == RougeTokens::kRouge ? number_rouge(text) : number_unicode(text);
}

NumberedWords RougeWords::number_unicode(std::string_view text) {
  NumberedWords result;
  const auto add = [&](std::string_view word) {
    word_ = word;
    result.words.push_back(number_of(word_));
    return true;
  };
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    const auto sentence = normalizer_.normalize(text.substr(begin, end - begin));
    const auto words_before = result.words.size();
    if (tokens_ == RougeTokens::kCharacter) {
      text::visit_characters(sentence, add);
    } else {
      text::visit_words(sentence, [&](std::string_view word) {
        bool spoken = false;  // not punctuation
        text::visit_characters(word, [&](std::string_view) { return !(spoken = true); });
        return !spoken || add(word);
      });
    }
    if (result.words.size() > words_before) result.sentence_ends.push_back(result.words.size());
    begin = end + 1;
  }
  word_.clear();
  return result;
}

NumberedWords RougeWords::number_rouge(std::string_view text) {
  NumberedWords result;
  word_.clear();
  const auto end_word = [&] {
    if (word_.empty()) return;
    result.words.push_back(number_of(word_));
    word_.clear();
  };
  const auto end_sentence = [&] {
    end_word();
    const std::size_t begin = result.sentence_ends.empty() ? 0 : result.sentence_ends.back();
    if (result.words.size() > begin) result.sentence_ends.push_back(result.words.size());
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char byte = kWordBytes[static_cast<unsigned char>(text[i])];
    if (byte != 0) {
      word_ += byte;
    } else if (text[i] == '\n') {
      end_sentence();
    } else if (text.substr(i).starts_with(kKelvinSign)) {
      word_ += 'k';
      i += kKelvinSign.size() - 1;
    } else {
      if (text.substr(i).starts_with(kDottedCapitalI)) word_ += 'i';
      end_word();
    }
  }
  end_sentence();
  return result;
}

RougeTokens rouge_tokens_of(std::string_view reference) {
  std::size_t ascii = 0, unspaced = 0, other = 0;
  text::visit_characters(reference, [&](std::string_view letter) {
    if (static_cast<unsigned char>(letter.front()) < 0x80 && letter.size() == 1) {
      ++ascii;
    } else if (text::dictionary_run(letter) > 0) {
      ++unspaced;
    } else {
      ++other;
    }
    return true;
  });
  if (2 * unspaced > ascii + other + unspaced) return RougeTokens::kCharacter;
  return 100 * (other + unspaced) > ascii + other + unspaced ? RougeTokens::kUnicode
                                                             : RougeTokens::kRouge;
}

std::vector<Ngram> sorted_ngrams(std::span<const std::int32_t> words, std::size_t n) {
  if (n < 1 || n > kLongestNgram) {
    throw std::invalid_argument("sorted_ngrams: n is " + std::to_string(n) +
                                ", but must be from 1 to 4");
  }
  std::vector<Ngram> ngrams;
  if (words.size() < n) return ngrams;
  ngrams.reserve(words.size() - n + 1);
  for (std::size_t i = 0; i + n <= words.size(); ++i) {
    Ngram ngram;
    for (std::size_t k = 0; k < n; ++k) {
      ngram.high = ngram.high << 32 | ngram.low >> 32;
      ngram.low = ngram.low << 32 | static_cast<std::uint32_t>(words[i + k]);
    }
    ngrams.push_back(ngram);
  }
  std::sort(ngrams.begin(), ngrams.end());
  return ngrams;
}

std::size_t shared_ngrams(std::span<const Ngram> first, std::span<const Ngram> second) {
  std::size_t shared = 0;
  for (std::size_t i = 0, j = 0; i < first.size() && j < second.size();) {
    const auto order = first[i] <=> second[j];
    if (order == 0) ++shared;
    if (order <= 0) ++i;
    if (order >= 0) ++j;
  }
  return shared;
}

}  // namespace fastformer::metrics

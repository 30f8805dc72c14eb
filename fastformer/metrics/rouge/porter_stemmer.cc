#include "fastformer/metrics/rouge/porter_stemmer.h"

#include <array>
#include <cstddef>
#include <span>
#include <utility>

namespace fastformer::metrics {
namespace {

struct Replacement {
  std::string_view from, to;
};

constexpr std::array kIrregular = {
    Replacement{"sky", "sky"},          Replacement{"skies", "sky"},
    Replacement{"dying", "die"},        Replacement{"lying", "lie"},
    Replacement{"tying", "tie"},        Replacement{"news", "news"},
    Replacement{"innings", "inning"},   Replacement{"inning", "inning"},
    Replacement{"outings", "outing"},   Replacement{"outing", "outing"},
    Replacement{"cannings", "canning"}, Replacement{"canning", "canning"},
    Replacement{"howe", "howe"},        Replacement{"proceed", "proceed"},
    Replacement{"exceed", "exceed"},    Replacement{"succeed", "succeed"},
};

constexpr std::array kStep1a = {
    Replacement{"sses", "ss"},
    Replacement{"ies", "i"},
    Replacement{"ss", "ss"},
    Replacement{"s", ""},
};

constexpr std::array kStep2 = {
    Replacement{"ational", "ate"}, Replacement{"tional", "tion"}, Replacement{"enci", "ence"},
    Replacement{"anci", "ance"},   Replacement{"izer", "ize"},    Replacement{"bli", "ble"},
    Replacement{"alli", "al"},     Replacement{"entli", "ent"},   Replacement{"eli", "e"},
    Replacement{"ousli", "ous"},   Replacement{"ization", "ize"}, Replacement{"ation", "ate"},
    Replacement{"ator", "ate"},    Replacement{"alism", "al"},    Replacement{"iveness", "ive"},
    Replacement{"fulness", "ful"}, Replacement{"ousness", "ous"}, Replacement{"aliti", "al"},
    Replacement{"iviti", "ive"},   Replacement{"biliti", "ble"},  Replacement{"fulli", "ful"},
};

constexpr std::array kStep3 = {
    Replacement{"icate", "ic"}, Replacement{"ative", ""},  Replacement{"alize", "al"},
    Replacement{"iciti", "ic"}, Replacement{"ical", "ic"}, Replacement{"ful", ""},
    Replacement{"ness", ""},
};

constexpr std::array kStep4 = {
    Replacement{"al", ""},   Replacement{"ance", ""}, Replacement{"ence", ""},
    Replacement{"er", ""},   Replacement{"ic", ""},   Replacement{"able", ""},
    Replacement{"ible", ""}, Replacement{"ant", ""},  Replacement{"ement", ""},
    Replacement{"ment", ""}, Replacement{"ent", ""},  Replacement{"ion", ""},
    Replacement{"ou", ""},   Replacement{"ism", ""},  Replacement{"ate", ""},
    Replacement{"iti", ""},  Replacement{"ous", ""},  Replacement{"ive", ""},
    Replacement{"ize", ""},
};

bool is_vowel_letter(char c) { return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u'; }

// Whether a letter is a consonant; a y is one at the start and behind a vowel.
bool next_is_consonant(char c, bool first, bool previous_is_consonant) {
  if (c == 'y') return first || !previous_is_consonant;
  return !is_vowel_letter(c);
}

bool is_consonant(std::string_view word, std::size_t at) {
  std::size_t i = at;
  while (i > 0 && word[i] == 'y') --i;
  bool consonant = next_is_consonant(word[i], i == 0, false);
  for (; i < at; ++i) consonant = !consonant;
  return consonant;
}

// Porter's m: how often a vowel is followed by a consonant.
std::size_t measure(std::string_view stem) {
  std::size_t count = 0;
  bool previous = true;
  for (std::size_t i = 0; i < stem.size(); ++i) {
    const bool consonant = next_is_consonant(stem[i], i == 0, previous);
    if (i > 0 && consonant && !previous) ++count;
    previous = consonant;
  }
  return count;
}

bool contains_vowel(std::string_view stem) {
  bool previous = true;
  for (std::size_t i = 0; i < stem.size(); ++i) {
    previous = next_is_consonant(stem[i], i == 0, previous);
    if (!previous) return true;
  }
  return false;
}

bool ends_double_consonant(std::string_view word) {
  return word.size() >= 2 && word[word.size() - 1] == word[word.size() - 2] &&
         is_consonant(word, word.size() - 1);
}

// Porter's *o (consonant, vowel, consonant other than w, x, y); NLTK adds words such as "at".
bool ends_consonant_vowel_consonant(std::string_view word) {
  const std::size_t n = word.size();
  if (n == 2) return !is_consonant(word, 0) && is_consonant(word, 1);
  return n >= 3 && is_consonant(word, n - 3) && !is_consonant(word, n - 2) &&
         is_consonant(word, n - 1) && word[n - 1] != 'w' && word[n - 1] != 'x' &&
         word[n - 1] != 'y';
}

void replace_end(std::string& word, std::size_t length, std::string_view to) {
  word.resize(word.size() - length);
  word += to;
}

// Only the first rule whose suffix fits is tried, whether its condition holds or not.
template <class Condition>
void apply_first(std::string& word, std::span<const Replacement> rules, Condition&& condition) {
  for (const auto& rule : rules) {
    if (!word.ends_with(rule.from)) continue;
    const std::string_view stem(word.data(), word.size() - rule.from.size());
    if (condition(stem, rule)) replace_end(word, rule.from.size(), rule.to);
    return;
  }
}

void remove_plural(std::string& word) {
  if (word.size() == 4 && word.ends_with("ies")) return replace_end(word, 3, "ie");
  apply_first(word, kStep1a, [](std::string_view, const Replacement&) { return true; });
}

bool wants_final_e(std::string_view word) {
  return word.ends_with("at") || word.ends_with("bl") || word.ends_with("iz") ||
         (measure(word) == 1 && ends_consonant_vowel_consonant(word));
}

// What Porter does to a word that lost its "ed" or "ing". (No word that wants an e ends in a double
// consonant.)
void mend_end(std::string& word) {
  const char last = word.back();
  if (wants_final_e(word)) {
    word += 'e';
  } else if (ends_double_consonant(word) && last != 'l' && last != 's' && last != 'z') {
    word.pop_back();
  }
}

void remove_past_and_gerund(std::string& word) {
  if (word.ends_with("ied")) return replace_end(word, 3, word.size() == 4 ? "ie" : "i");
  if (word.ends_with("eed")) {
    if (measure(std::string_view(word).substr(0, word.size() - 3)) > 0) word.pop_back();
    return;
  }
  for (const std::string_view suffix : {"ed", "ing"}) {
    if (!word.ends_with(suffix)) continue;
    if (!contains_vowel(std::string_view(word).substr(0, word.size() - suffix.size()))) return;
    word.resize(word.size() - suffix.size());
    return mend_end(word);
  }
}

void change_final_y(std::string& word) {
  if (word.size() > 2 && word.back() == 'y' && is_consonant(word, word.size() - 2)) {
    word.back() = 'i';
  }
}

bool has_measure(std::string_view stem, const Replacement&) { return measure(stem) > 0; }

void shorten_double_suffix(std::string& word) {
  while (word.ends_with("alli") && measure(std::string_view(word).substr(0, word.size() - 4)) > 0) {
    replace_end(word, 4, "al");
  }
  if (word.ends_with("logi")) {
    // The l counts with the stem, so that "geo" and "theo" work like "philo".
    if (measure(std::string_view(word).substr(0, word.size() - 3)) > 0) word.pop_back();
    return;
  }
  apply_first(word, kStep2, has_measure);
}

void remove_suffix(std::string& word) {
  apply_first(word, kStep4, [](std::string_view stem, const Replacement& rule) {
    if (measure(stem) <= 1) return false;
    return rule.from != "ion" || stem.back() == 's' || stem.back() == 't';
  });
}

void remove_final_e(std::string& word) {
  if (!word.ends_with('e')) return;
  const auto stem = std::string_view(word).substr(0, word.size() - 1);
  const std::size_t m = measure(stem);
  if (m > 1 || (m == 1 && !ends_consonant_vowel_consonant(stem))) word.pop_back();
}

void remove_double_l(std::string& word) {
  if (word.ends_with("ll") && measure(std::string_view(word).substr(0, word.size() - 1)) > 1) {
    word.pop_back();
  }
}

}  // namespace

std::string porter_stem(std::string_view word) {
  for (const auto& form : kIrregular) {
    if (word == form.from) return std::string(form.to);
  }
  std::string stem(word);
  if (stem.size() <= 2) return stem;
  remove_plural(stem);
  remove_past_and_gerund(stem);
  change_final_y(stem);
  shorten_double_suffix(stem);
  apply_first(stem, kStep3, has_measure);
  remove_suffix(stem);
  remove_final_e(stem);
  remove_double_l(stem);
  return stem;
}

}  // namespace fastformer::metrics

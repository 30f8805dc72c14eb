// How well the word tokenizer finds the words of ten languages (tests/text/segmentation).
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <string_view>

#include "fastformer/text/word_tokenizer.h"

namespace fastformer::text {
namespace {

using Boundaries = std::set<std::size_t>;

bool is_blank(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

// Places between words, in bytes of the text without its blanks; `visit_words` gives its argument
// each word.
template <class VisitWords>
Boundaries boundaries(const VisitWords& visit_words) {
  Boundaries places;
  std::size_t at = 0;
  visit_words([&](std::string_view word) {
    at += word.size();
    places.insert(at);
  });
  places.erase(at);  // the end of the sentence is no question
  return places;
}

struct Counts {
  double found = 0, right = 0, expected = 0;

  double precision() const { return right / found; }
  double recall() const { return right / expected; }
};

void compare(const std::string& line, Counts& counts) {
  std::string text;
  std::copy_if(line.begin(), line.end(), std::back_inserter(text), [](char c) { return c != '|'; });
  const auto expected = boundaries([&](const auto& use) {
    std::string word;
    for (const char c : line + "|") {
      if (c != '|' && !is_blank(c)) {
        word += c;
      } else if (!word.empty()) {
        use(std::string_view(word));
        word.clear();
      }
    }
  });
  const auto found = boundaries([&](const auto& use) {
    visit_words(text, [&](std::string_view word) {
      use(word);
      return true;
    });
  });
  counts.found += static_cast<double>(found.size());
  counts.expected += static_cast<double>(expected.size());
  for (const auto place : found) counts.right += expected.contains(place) ? 1 : 0;
}

struct Language {
  const char* name;
  double precision, recall;  // at least
};

void PrintTo(const Language& language, std::ostream* out) { *out << language.name; }

class Segmentation : public ::testing::TestWithParam<Language> {};

TEST_P(Segmentation, FindsTheBoundariesOfWords) {
  const auto& language = GetParam();
  std::ifstream file(std::string(FASTFORMER_SOURCE_DIR "/tests/text/segmentation/") +
                     language.name + ".txt");
  Counts counts;
  int sentences = 0;
  for (std::string line; std::getline(file, line); ++sentences) compare(line, counts);
  ASSERT_EQ(sentences, 50);
  EXPECT_GE(counts.precision(), language.precision);
  EXPECT_GE(counts.recall(), language.recall);
  std::printf("%s: precision %.4f, recall %.4f\n", language.name, counts.precision(),
              counts.recall());
}

INSTANTIATE_TEST_SUITE_P(Languages, Segmentation,
                         ::testing::Values(Language{"ar", 1, 1}, Language{"de", 1, 1},
                                           Language{"es", 1, 1}, Language{"fr", 1, 1},
                                           Language{"hi", 1, 1}, Language{"ja", 1, 1},
                                           Language{"ru", 1, 1}, Language{"th", 1, 1},
                                           Language{"tr", 1, 1}, Language{"zh", 1, 1}),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace fastformer::text

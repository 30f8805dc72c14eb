#include "fastformer/text/sentences.h"

#include <unicode/brkiter.h>
#include <unicode/utext.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

#include "fastformer/base/ascii.h"

namespace fastformer::text {
namespace {

constexpr std::string_view kBlank = " \t\r\n\v\f";

std::unique_ptr<icu::BreakIterator> sentence_rules() {
  UErrorCode status = U_ZERO_ERROR;
  std::unique_ptr<icu::BreakIterator> rules(
      icu::BreakIterator::createSentenceInstance(icu::Locale("en@ss=standard"), status));
  if (U_FAILURE(status)) {
    throw std::runtime_error(std::string("ICU has no rules for the sentences of English: ") +
                             u_errorName(status) + "; install ICU's data");
  }
  return rules;
}

struct CloseText {
  void operator()(UText* text) const { utext_close(text); }
};

void add_trimmed(std::string_view sentence, std::vector<std::string_view>& sentences) {
  sentence = base::trimmed(sentence, kBlank);
  if (!sentence.empty()) sentences.push_back(sentence);
}

// What is between two ends of the rules, cut again behind each dot that stands alone.
void add_cut_at_lone_dots(std::string_view piece, std::vector<std::string_view>& sentences) {
  constexpr std::string_view kLoneDot = " . ";
  for (auto at = piece.find(kLoneDot); at != std::string_view::npos; at = piece.find(kLoneDot)) {
    add_trimmed(piece.substr(0, at + 2), sentences);
    piece.remove_prefix(at + 2);
  }
  add_trimmed(piece, sentences);
}

void add_sentences_of_line(std::string_view line, icu::BreakIterator& rules,
                           std::vector<std::string_view>& sentences) {
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<UText, CloseText> text(
      utext_openUTF8(nullptr, line.data(), static_cast<std::int64_t>(line.size()), &status));
  rules.setText(text.get(), status);
  if (U_FAILURE(status)) {
    throw std::runtime_error(std::string("ICU cannot read a text of ") +
                             std::to_string(line.size()) + " bytes: " + u_errorName(status));
  }
  std::size_t begin = 0;
  for (auto end = rules.next(); end != icu::BreakIterator::DONE; end = rules.next()) {
    const auto stop = static_cast<std::size_t>(end);
    add_cut_at_lone_dots(line.substr(begin, stop - begin), sentences);
    begin = stop;
  }
}

}  // namespace

std::vector<std::string_view> split_sentences(std::string_view text) {
  // Made once a thread: the list of abbreviations takes a while to read.
  thread_local const std::unique_ptr<icu::BreakIterator> rules = sentence_rules();
  std::vector<std::string_view> sentences;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) add_sentences_of_line(text.substr(0, end), *rules, sentences);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return sentences;
}

}  // namespace fastformer::text

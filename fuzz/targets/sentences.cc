#include "fastformer/text/sentences.h"

#include <array>

#include "fastformer/data/utf8.h"
#include "fastformer/text/document_sentences.h"
#include "fastformer/text/one_line.h"
#include "target.h"

namespace fastformer::fuzz {
namespace {

// Views into `bytes` follow one another.
class Order {
 public:
  explicit Order(std::string_view bytes) : bytes_(bytes), at_(bytes.data()) {}

  void add(std::string_view sentence) {
    check(sentence.data() >= at_, "sentences follow one another");
    at_ = sentence.data() + sentence.size();
    check(at_ <= bytes_.data() + bytes_.size(), "a sentence is part of the text");
  }

 private:
  std::string_view bytes_;
  const char* at_;
};

}  // namespace

void run(std::string_view bytes) {
  const bool utf8 = data::find_invalid_utf8(bytes) == std::string_view::npos;
  Order lines(bytes), document(bytes);
  for (const auto sentence : text::split_sentences(bytes)) {
    check(!sentence.empty() && sentence.find('\n') == std::string_view::npos,
          "a sentence is part of a line");
    lines.add(sentence);
    if (utf8) check_utf8(sentence, "a sentence of UTF-8 is UTF-8");
  }
  const auto sentences = text::document_sentences(bytes);
  for (const auto& sentence : sentences) {
    check(!sentence.text.empty() && sentence.text.size() <= text::kLongestSentence,
          "a sentence has at most so many bytes");
    document.add(sentence.text);
    const auto line = text::in_one_line(std::array{sentence.text});
    check(!line.empty() && line.find_first_of("\r\n") == std::string::npos, "a line is one line");
    if (!utf8) continue;
    check_utf8(sentence.text, "a sentence of UTF-8 is UTF-8");
    check_utf8(line, "a line of UTF-8 is UTF-8");
  }
  check(text::text_sentences(sentences).empty() == sentences.empty(),
        "a document with sentences has some to choose");
}

}  // namespace fastformer::fuzz

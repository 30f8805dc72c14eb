#include "fastformer/text/sentences.h"

#include "fastformer/data/utf8.h"
#include "target.h"

namespace fastformer::fuzz {

void run(std::string_view bytes) {
  const bool utf8 = data::find_invalid_utf8(bytes) == std::string_view::npos;
  const char* at = bytes.data();
  for (const auto sentence : text::split_sentences(bytes)) {
    check(!sentence.empty() && sentence.find('\n') == std::string_view::npos,
          "a sentence is part of a line");
    check(sentence.data() >= at, "sentences follow one another");
    at = sentence.data() + sentence.size();
    if (utf8) check_utf8(sentence, "a sentence of UTF-8 is UTF-8");
  }
  check(at <= bytes.data() + bytes.size(), "a sentence is part of the text");
}

}  // namespace fastformer::fuzz

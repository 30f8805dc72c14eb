#include "fastformer/data/utf8.h"
#include "fastformer/text/display_width.h"
#include "fastformer/text/word_tokenizer.h"
#include "target.h"

namespace fastformer::fuzz {

// Words follow one another, and only white space and joiners lie between them.
void run(std::string_view bytes) {
  const bool utf8 = data::find_invalid_utf8(bytes) == std::string_view::npos;
  const char* at = bytes.data();
  text::visit_words(bytes, [&](std::string_view word) {
    check(!word.empty(), "a word is not empty");
    check(word.data() >= at, "words follow one another");
    at = word.data() + word.size();
    check(at <= bytes.data() + bytes.size(), "a word is part of the text");
    if (utf8) check_utf8(word, "a word of UTF-8 is UTF-8");
    return true;
  });
  check(text::padded(bytes.substr(0, 1000), 10).size() >= std::min<std::size_t>(bytes.size(), 1000),
        "a padded text is not cut");
}

}  // namespace fastformer::fuzz

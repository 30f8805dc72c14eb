#pragma once

#include <string_view>
#include <vector>

namespace fastformer::text {

/// The sentences of a text, in order, without the white space around them; none is empty.
///
///   split_sentences("Mr. Smith left. He was tired.\nSo was I.");  // three
///
/// A sentence ends where a line ends; where Unicode's rules for English end it (UAX 29, as ICU has
/// them, with its list of abbreviations); and behind a dot that stands alone between blanks, as in
/// text that was tokenized and lower-cased ("it rained . nobody minded ."), where those rules see
/// no end. The views point into `text`. Bytes that are not UTF-8 never end a sentence.
std::vector<std::string_view> split_sentences(std::string_view text);

}  // namespace fastformer::text

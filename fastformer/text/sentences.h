#pragma once

#include <string_view>
#include <vector>

namespace fastformer::text {

/// Splits a text into sentences, in order, without surrounding white space; none is empty.
///
///   split_sentences("Mr. Smith left. He was tired.\nSo was I.");  // three
///
/// A sentence ends at the end of a line, where the English sentence rules of Unicode end it (UAX 29
/// with ICU's list of abbreviations), and after a dot between spaces, as in tokenized, lower-cased
/// text ("it rained . nobody minded ."), where those rules find no end. The views point into
/// `text`. Bytes that are not UTF-8 never end a sentence.
std::vector<std::string_view> split_sentences(std::string_view text);

}  // namespace fastformer::text

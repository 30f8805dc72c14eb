#pragma once

#include <string>
#include <string_view>

namespace fastformer::metrics {

/// The stem of a lower-case English word, by Porter's algorithm (1980, "An algorithm for suffix
/// stripping") with NLTK's extensions (PorterStemmer, mode NLTK_EXTENSIONS):
///
///   porter_stem("relational");  // "relat"
///   porter_stem("relational");  // "relat"
///   porter_stem("dying");       // "die", one of NLTK's irregular forms
/// Words of one or two characters are returned unchanged. Bytes other than a, e, i, o, u and y
/// count as consonants. The time is linear in the length of the word.
std::string porter_stem(std::string_view word);

}  // namespace fastformer::metrics

#pragma once

#include <string>
#include <string_view>

namespace fastformer::metrics {

/// The stem of an English word in lower case, by the algorithm of Porter (1980, "An algorithm for
/// suffix stripping") as NLTK extends it (PorterStemmer, mode NLTK_EXTENSIONS):
///
///   porter_stem("relational");  // "relat"
///   porter_stem("dying");       // "die", one of the irregular forms of NLTK
///
/// Words of one or two characters stay as they are. Bytes other than a, e, i, o, u and y count as
/// consonants. Time is linear in the length of the word.
std::string porter_stem(std::string_view word);

}  // namespace fastformer::metrics

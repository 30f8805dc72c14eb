#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "fastformer/summarization/extractive/selection_config.h"
#include "fastformer/text/document_sentences.h"

namespace fastformer::summarization {

/// Chooses sentences of a document by their scores, the highest first, within the limits of
/// `config`; of equal scores, the first. Returns their indices in the order of the document.
///
/// - Headings and captions are chosen only from a document that has nothing else.
/// - A sentence that exceeds the limit of words is skipped, and shorter ones may follow. If no
///   sentence fits, the one with the highest score is chosen.
/// - Redundancy::kTrigram skips a sentence that shares three consecutive words with a chosen one
///   (Paulus et al., arXiv 1705.04304, for sentences Liu and Lapata, arXiv 1908.08345).
/// - Redundancy::kMmr takes, of the kMostRelevant sentences with the highest scores, the one with
/// the
///   largest (1 - w) p - w o, for the weight w of `config`, its score p, and the largest share o of
///   its distinct words that are in one chosen sentence (Carbonell and Goldstein 1998). The others
///   follow by score.
///
/// Words are those of any script, without punctuation, in lower case. `scores` are between 0 and 1,
/// one per sentence. Throws std::invalid_argument for another number of scores and for an invalid
/// `config`.
std::vector<std::size_t> select_sentences(std::span<const text::Sentence> sentences,
                                          std::span<const double> scores,
                                          const SelectionConfig& config);

inline constexpr std::size_t kMostRelevant = 1000;

/// The chosen sentences as one line, see text::in_one_line().
std::string joined(std::span<const text::Sentence> sentences, std::span<const std::size_t> chosen);

}  // namespace fastformer::summarization

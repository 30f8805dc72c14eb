#pragma once

#include <vector>

#include "fastformer/summarization/abstractive/search.h"

namespace fastformer::summarization {

/// Beam search. A text of n tokens, including the end token, has the score
///   log p(text) / n^length_penalty
/// Each step considers the 2 `beams` likeliest continuations per document. Those among the first
/// `beams` that end or reach `max_tokens` are finished texts, of which the `beams` best are kept.
/// The `beams` likeliest unfinished ones are continued. A document leaves the batch when no
/// unfinished text can still score above the worst kept text; the bound assumes the most favourable
/// length, so leaving early never changes the result.
///
/// These are the rules of `generate` in the Transformers library with early_stopping="never". GNMT
/// (Wu et al., arXiv 1609.08144, section 7) uses another penalty, ((5 + n) / 6)^alpha.
///
/// Returns the texts of each document, in the order of the model's documents, best first: up to
/// `beams`, none only if the rules allow no first token. Throws std::invalid_argument if `config`
/// is invalid.
std::vector<std::vector<WrittenText>> beam_search(SequenceModel& model, const SearchTokens& tokens,
                                                  const SearchConfig& config);

}  // namespace fastformer::summarization

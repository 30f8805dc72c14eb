#pragma once

#include <vector>

#include "fastformer/summarization/search.h"

namespace fastformer::summarization {

/// Beam search. A text of n tokens (its end is one of them) has the score
///   log p(text) / n^length_penalty
/// In each step every document keeps the `beams` likeliest unfinished texts among its 2 `beams`
/// likeliest continuations. Texts among the `beams` likeliest that end or reach `max_tokens` are
/// finished, and the `beams` best finished texts are kept. A document leaves the batch once no
/// unfinished text can still score above the worst kept one: the bound is the score at the most
/// favourable length, so this never changes the result.
///
/// These are the rules of `generate` in the Transformers library with early_stopping="never". GNMT
/// (Wu et al., arXiv 1609.08144, section 7) uses another penalty, ((5 + n) / 6)^alpha.
///
/// The texts of each document in the order of the model's documents, best first: up to `beams`, and
/// none only if the rules allow no first token. Throws std::invalid_argument if `config` is
/// invalid.
std::vector<std::vector<WrittenText>> beam_search(SequenceModel& model, const SearchTokens& tokens,
                                                  const SearchConfig& config);

}  // namespace fastformer::summarization

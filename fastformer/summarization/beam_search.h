#pragma once

#include <vector>

#include "fastformer/summarization/search.h"

namespace fastformer::summarization {

/// Beam search. A text of n tokens (its end is one of them) has the score
///   log p(text) / n^length_penalty
/// In each step every document goes on with the `beams` likeliest unfinished texts of the 2 `beams`
/// likeliest continuations; those of the `beams` likeliest that end, or have reached `max_tokens`,
/// are finished, and the `beams` best of them are kept. A document is done, and leaves the batch,
/// once no unfinished text can still get a score above the worst that is kept: the bound is the
/// score at the length that favours it most, so this never changes the result.
///
/// These are the rules of the `generate` of the library Transformers with early_stopping="never".
/// They differ from GNMT (Wu et al., arXiv 1609.08144, section 7) in the penalty, which there is
/// ((5 + n) / 6)^alpha.
///
/// The texts of each document in the order of the model's documents, best first: up to `beams`, and
/// none only where the rules leave no token to begin with. Throws std::invalid_argument when
/// `config` does not validate.
std::vector<std::vector<WrittenText>> beam_search(SequenceModel& model, const SearchTokens& tokens,
                                                  const SearchConfig& config);

}  // namespace fastformer::summarization

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "fastformer/summarization/search.h"

namespace fastformer::summarization {

/// Greedy search: the likeliest token at each step, up to the end token, `max_tokens` tokens, or
/// until the rules allow none. Of equally likely tokens it takes the smallest id. A finished text
/// leaves the batch. `sink` may be empty; it receives the tokens of each document in order.
///
/// One text for each document, in the order of the model's documents; its score is its
/// log-probability. Throws std::invalid_argument if `config` is invalid.
std::vector<WrittenText> write_greedily(SequenceModel& model, const SearchTokens& tokens,
                                        const SearchConfig& config, const TokenSink& sink = {});

/// The same with each token drawn from the distribution, sharpened by `temperature`, of the fewest
/// likeliest tokens that together have the probability `top_p` (Holtzman et al., arXiv 1904.09751,
/// section 3.1). The draws for a document depend only on the seed, its number and its
/// distributions. `numbers`: the numbers of the documents among all documents, so that each has its
/// own draws; if empty, their positions in the batch.
std::vector<WrittenText> sample_texts(SequenceModel& model, const SearchTokens& tokens,
                                      const SearchConfig& config,
                                      std::span<const std::int64_t> numbers = {},
                                      const TokenSink& sink = {});

}  // namespace fastformer::summarization

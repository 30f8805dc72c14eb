#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "fastformer/summarization/search.h"

namespace fastformer::summarization {

/// The likeliest token at each step, until it is the end, there are `max_tokens` of them, or the
/// rules leave none. Of equally likely tokens the one of the smaller number. A text that is done
/// leaves the batch. `sink` may be empty; it gets the tokens of each document in order.
///
/// One text for each document, in the order of the model's documents; its score is its
/// log-probability. Throws std::invalid_argument when `config` does not validate.
std::vector<WrittenText> write_greedily(SequenceModel& model, const SearchTokens& tokens,
                                        const SearchConfig& config, const TokenSink& sink = {});

/// The same with each token drawn from the distribution, sharpened by `temperature`, of the fewest
/// likeliest tokens that together have the probability `top_p` (Holtzman et al., arXiv 1904.09751,
/// section 3.1). What is drawn for a document depends on the seed, its number and its own
/// distributions alone. `numbers`: those of the documents among all that are written, by which no
/// two draw alike; where empty, their places in the batch.
std::vector<WrittenText> sample_texts(SequenceModel& model, const SearchTokens& tokens,
                                      const SearchConfig& config,
                                      std::span<const std::int64_t> numbers = {},
                                      const TokenSink& sink = {});

}  // namespace fastformer::summarization

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "fastformer/summarization/abstractive/search.h"

namespace fastformer::summarization {

/// Greedy search: takes the likeliest token in each step (of equally likely ones, the smallest id)
/// until the end token, `max_tokens` tokens, or no allowed token remains. A finished text leaves
/// the batch. `sink` may be empty; it receives the tokens of each document in order.
///
/// Returns one text for each document, in the order of the model's documents. Its score is its
/// log-probability. Throws std::invalid_argument if `config` is invalid.
std::vector<WrittenText> write_greedily(SequenceModel& model, const SearchTokens& tokens,
                                        const SearchConfig& config, const TokenSink& sink = {});

/// The same, but each token is drawn: probabilities are sharpened by `temperature`, and only the
/// fewest likeliest tokens whose probabilities sum to at least `top_p` remain (Holtzman et al.,
/// arXiv 1904.09751, section 3.1). The draws for a document depend only on the seed, the number of
/// the document and its distributions. `numbers`: numbers of the documents among all documents, so
/// that each has draws of its own; if empty, their positions in the batch.
std::vector<WrittenText> sample_texts(SequenceModel& model, const SearchTokens& tokens,
                                      const SearchConfig& config,
                                      std::span<const std::int64_t> numbers = {},
                                      const TokenSink& sink = {});

}  // namespace fastformer::summarization

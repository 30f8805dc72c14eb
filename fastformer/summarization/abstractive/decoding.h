#pragma once

#include <span>
#include <string>
#include <vector>

#include "fastformer/data/corpus.h"
#include "fastformer/summarization/abstractive/search_config.h"
#include "fastformer/summarization/abstractive/summarizer_model.h"
#include "fastformer/summarization/dataset.h"
#include "fastformer/summarization/evaluation.h"
#include "fastformer/text/tokenizer.h"

namespace fastformer::summarization {

/// The mean of -log p over all tokens of the summaries, including the end tokens, in nats. Throws
/// std::invalid_argument if there are no pairs.
double mean_loss(const SummarizerModel& model, const PairCorpus& pairs);

/// Writes a summary for each document of a corpus, in order. Documents of similar length share a
/// batch. Throws as write_summaries() does.
std::vector<std::string> summarize(const SummarizerModel& model, const text::Tokenizer& tokenizer,
                                   const SearchConfig& search, const data::Corpus& documents);

/// Evaluates a model. `texts` are those of the rows of `pairs`, see read_texts(). Throws
/// std::invalid_argument if `pairs` is empty or the number of texts differs.
Evaluation evaluate(const SummarizerModel& model, const text::Tokenizer& tokenizer,
                    const SearchConfig& search, const PairCorpus& pairs,
                    std::span<const TextPair> texts);

}  // namespace fastformer::summarization

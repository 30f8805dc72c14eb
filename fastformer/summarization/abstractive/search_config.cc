#include "fastformer/summarization/abstractive/search_config.h"

#include <stdexcept>
#include <string>

namespace fastformer::summarization {

void SearchConfig::visit_fields(base::FieldVisitor& visit) {
  visit("method", method, "search method");
  visit("beams", beams, "number of hypotheses in the beam search", base::between(1, 1024));
  visit("length_penalty", length_penalty,
        "beam search divides the log-probability of a summary by its length to this power",
        base::between(-10, 10));
  visit("min_tokens", min_tokens, "minimum number of tokens of a summary",
        base::between(0, 1 << 20));
  visit("max_tokens", max_tokens, "maximum number of tokens of a summary, including its end token",
        base::between(1, 1 << 20));
  visit("blocked_ngram", blocked_ngram,
        "no sequence of this many words occurs twice in a summary; 0: no limit",
        base::between(0, 1024));
  visit("repeatable", repeatable,
        "words that may complete a repeated sequence, such as \",\" or a tag");
  visit("temperature", temperature,
        "sampling temperature; below 1, likely tokens become even likelier",
        base::between(0.01, 100));
  visit("top_p", top_p,
        "sample only from the most probable tokens whose probabilities add up to this",
        base::between(0.001, 1));
  visit("seed", seed, "sampling seed", base::at_least(0));
}

void SearchConfig::validate() const {
  if (min_tokens >= max_tokens) {
    throw std::invalid_argument("search.min_tokens = " + std::to_string(min_tokens) +
                                " must be below search.max_tokens = " + std::to_string(max_tokens));
  }
}

}  // namespace fastformer::summarization

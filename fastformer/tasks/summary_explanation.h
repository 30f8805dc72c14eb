#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "fastformer/tasks/summarizer.h"

namespace fastformer::tasks {

/// What a summarizer looked at when it wrote one token.
struct TokenExplanation {
  struct Source {
    std::int64_t position;  ///< in the document, from 0
    double weight;          ///< those of all positions sum to 1
  };
  std::int32_t token;
  /// Probability of copying rather than generating; nothing for a model that cannot copy.
  std::optional<double> copied;
  std::vector<Source> sources;  ///< the heaviest first
};

/// One for each of the `tokens` that the model wrote for the document `ids`, with its `sources`
/// heaviest positions: the weights of `SummaryTrace`. Throws as Summarizer::trace does.
///
///   for (const auto& written : explain_summary(model, ids, texts[0].front().tokens)) {
///     std::cout << tokenizer.token(written.token) << ' ' << written.sources.front().position;
///   }
std::vector<TokenExplanation> explain_summary(const Summarizer& model,
                                              std::span<const std::int32_t> ids,
                                              std::span<const std::int32_t> tokens,
                                              std::size_t sources = 3);

}  // namespace fastformer::tasks

#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "fastformer/tasks/summary_explanation.h"
#include "fastformer/text/tokenizer.h"

namespace fastformer::cli {

/// How the tokens of a summary and of its document are written.
struct SummarySpelling {
  const text::Tokenizer& tokenizer;
  std::span<const std::string> document;  ///< of each of its tokens
};

/// A line for each token of a summary: the share of copying, where the model can, and the tokens of
/// the document that it looked at, each with its weight and its position from 0. Nothing for a
/// summary without tokens.
std::string explanation_text(const std::vector<tasks::TokenExplanation>& explanation,
                             const SummarySpelling& spelling);

/// An array: {"token", "copied", "sources": [{"token", "position", "weight"}]} for each token.
nlohmann::ordered_json explanation_json(const std::vector<tasks::TokenExplanation>& explanation,
                                        const SummarySpelling& spelling);

}  // namespace fastformer::cli

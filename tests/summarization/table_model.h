#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "fastformer/summarization/abstractive/search.h"

namespace fastformer::summarization {

inline constexpr std::int32_t kBegin = 0, kEnd = 1;  ///< tokens of a TableModel

/// A model whose next token depends on the document, the number of the step and the token before
/// it, by a table [documents, steps, V, V] of log-probabilities; further steps are like the last.
/// (With the token before it alone, texts of the same pairs in another order would be equally
/// good.) It checks that texts stay in the order of documents.
class TableModel final : public SequenceModel {
 public:
  explicit TableModel(at::Tensor table) : table_(std::move(table)) {
    for (std::int64_t b = 0; b < table_.size(0); ++b) document_of_.push_back(b);
  }

  std::int64_t documents() const override { return table_.size(0); }
  at::Tensor step(std::span<const std::int32_t> tokens) override {
    TORCH_CHECK(tokens.size() == document_of_.size(), "a token for each text");
    const auto step = std::min(static_cast<std::int64_t>(sizes_.size()), table_.size(1) - 1);
    std::vector<at::Tensor> rows;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      rows.push_back(table_[document_of_[i]][step][tokens[i]]);
    }
    sizes_.push_back(rows.size());
    return at::stack(rows);
  }
  void select(std::span<const std::int64_t> parents) override {
    std::vector<std::int64_t> documents;
    for (const auto parent : parents) documents.push_back(document_of_.at(parent));
    TORCH_CHECK(std::is_sorted(documents.begin(), documents.end()), "in the order of documents");
    document_of_ = std::move(documents);
  }

  /// How many texts each step had.
  const std::vector<std::size_t>& sizes() const { return sizes_; }

 private:
  at::Tensor table_;
  std::vector<std::int64_t> document_of_;
  std::vector<std::size_t> sizes_;
};

/// A table of eight steps.
inline at::Tensor random_table(std::int64_t documents, std::int64_t vocabulary,
                               double sharpness = 1) {
  const auto logits = at::randn({documents, 8, vocabulary, vocabulary}, at::kDouble);
  return at::log_softmax(logits * sharpness, 3);
}

}  // namespace fastformer::summarization

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "fastformer/nn/offsets.h"
#include "fastformer/tasks/search_config.h"
#include "fastformer/tasks/sequence_model.h"
#include "fastformer/tasks/summarizer.h"

namespace fastformer::tasks {

/// Summaries of documents under way, as a search sees them.
class SummaryWriter final : public SequenceModel {
 public:
  SummaryWriter(const Summarizer& model, std::span<const std::int32_t> ids,
                const nn::Offsets& offsets)
      : model_(model), documents_(offsets.size()), state_(model.begin(ids, offsets)) {}

  std::int64_t documents() const override { return documents_; }
  at::Tensor step(std::span<const std::int32_t> tokens) override {
    return model_.step(tokens, state_);
  }
  void select(std::span<const std::int64_t> parents) override { state_.decoder.select(parents); }

 private:
  const Summarizer& model_;
  std::int64_t documents_;
  WritingState state_;
};

struct SummaryOptions {
  std::vector<std::int32_t> banned = {};  ///< must not be written, beside what begins a text
  /// Of each document among all that are summarized, see sample_texts(); may be empty.
  std::span<const std::int64_t> numbers = {};
  TokenSink sink = {};  ///< may be empty; not called by "beam"
};

/// Summaries of the documents, in their order, each with the texts that the search found, best
/// first; those of "greedy" and "sample" are one. `max_tokens` is lowered to what the model's
/// positions allow. Throws std::invalid_argument when `config` does not validate.
std::vector<std::vector<WrittenText>> summarize(const Summarizer& model,
                                                std::span<const std::int32_t> ids,
                                                const nn::Offsets& offsets, SearchConfig config,
                                                SummaryOptions options = {});

}  // namespace fastformer::tasks

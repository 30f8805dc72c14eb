#include "fastformer/summarization/abstractive/decoding.h"

#include <c10/core/GradMode.h>

#include "fastformer/base/out_of_memory.h"
#include "fastformer/data/batch_plan.h"
#include "fastformer/summarization/abstractive/summary_writer.h"

namespace fastformer::summarization {
namespace {

const data::BatchConfig kBatches{.batch_by = data::BatchUnit::kTokens, .batch_tokens = 16384};

}  // namespace

double mean_loss(const SummarizerModel& model, const PairCorpus& pairs) {
  const c10::NoGradGuard no_gradients;
  return mean_over(pairs, [&](std::span<const std::int64_t> rows) {
    const auto batch = gather(pairs, rows);
    const auto loss = base::naming_memory(
        [&] { return batch.source.description(); },
        [&] { return model.loss(batch, /*label_smoothing=*/0, /*training=*/false); });
    // Each summary has an end.
    return BatchLoss{loss.item<double>(), batch.target.tokens() + batch.target.size()};
  });
}

std::vector<std::string> summarize(const SummarizerModel& model, const text::Tokenizer& tokenizer,
                                   const SearchConfig& search, const data::Corpus& documents) {
  std::vector<std::string> summaries(static_cast<std::size_t>(documents.size()));
  auto options = writing_options(tokenizer, search);
  for (const auto& rows : data::BatchPlan(documents.lengths(), kBatches).in_order()) {
    const auto batch = data::gather(documents, rows);
    options.numbers = rows;
    const auto texts =
        write_summaries(model, batch.ids, nn::Offsets(batch.offsets), search, options);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (texts[i].empty()) continue;
      summaries[static_cast<std::size_t>(rows[i])] = tokenizer.decode(texts[i].front().tokens);
    }
  }
  return summaries;
}

Evaluation evaluate(const SummarizerModel& model, const text::Tokenizer& tokenizer,
                    const SearchConfig& search, const PairCorpus& pairs,
                    std::span<const TextPair> texts) {
  const auto loss = mean_loss(model, pairs);
  return evaluate_summaries(summarize(model, tokenizer, search, pairs.source), loss, texts);
}

}  // namespace fastformer::summarization

#include "fastformer/classification/document_scores.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <utility>

#include "fastformer/base/out_of_memory.h"
#include "fastformer/data/batch.h"
#include "fastformer/data/batch_plan.h"
#include "fastformer/data/batch_stream.h"

namespace fastformer::classification {
namespace {

constexpr std::int64_t kBatchTokens = 16384;

std::vector<double> logits_of(const ClassifierModel& model, const data::TokenBatch& batch,
                              const at::Tensor& frozen) {
  const c10::NoGradGuard no_gradients;
  const auto logits =
      model.forward(batch, /*training=*/false, nullptr, frozen).to(at::kDouble).contiguous();
  const auto* first = logits.const_data_ptr<double>();
  return {first, first + logits.numel()};
}

}  // namespace

ScoredNetwork::ScoredNetwork(const ClassifierModel& model)
    : classes_(model.classes()),
      logits_([&model](const data::TokenBatch& batch, const auto&, auto) {
        return logits_of(model, batch, {});
      }) {}

ScoredNetwork::ScoredNetwork(const ClassifierModel& model, FrozenDocuments& frozen)
    : classes_(model.classes()),
      logits_([&model, &frozen](const data::TokenBatch& batch, const LabelledCorpus& documents,
                                std::span<const std::int64_t> rows) {
        std::vector<DocumentOfPart> own;
        for (const auto row : rows) own.emplace_back(&documents, row);
        return logits_of(model, batch, frozen.rows(own));
      }) {}

ScoredNetwork::ScoredNetwork(const runtime::Network& network, std::int64_t classes,
                             const Options& options)
    : classes_(classes),
      logits_([&network, options](const data::TokenBatch& batch, const auto&, auto) {
        return network.logits({batch.ids, batch.offsets}, options, nullptr);
      }) {}

void for_each_scored_batch(const LabelledCorpus& documents, const ScoredNetwork& network,
                           const linear::LinearModel* linear,
                           const std::function<void(std::span<const std::int64_t> rows,
                                                    const linear::MemberScores&)>& use) {
  const auto plan =
      data::BatchPlan(documents.texts.lengths(),
                      {.batch_by = data::BatchUnit::kTokens, .batch_tokens = kBatchTokens})
          .in_order();
  data::BatchStream<data::TokenBatch> batches;
  batches.begin(
      [&](std::int64_t i) {
        return data::gather(documents.texts, plan[static_cast<std::size_t>(i)]);
      },
      0, std::ssize(plan));
  for (const auto& rows : plan) {
    batches.next();
    auto logits = base::naming_memory([&] { return batches->description(); },
                                      [&] { return network.logits(*batches, documents, rows); });
    const auto ngrams =
        linear == nullptr ? data::TokenBatch() : data::gather(documents.ngrams, rows);
    use(rows, linear::member_scores(std::move(logits), linear, ngrams.ids, ngrams.offsets));
  }
}

std::vector<std::string> member_names(const linear::LinearPart* linear) {
  if (linear == nullptr) return {};
  std::vector<std::string> names = {"network"};
  for (const auto& member : linear->model->members()) {
    names.emplace_back(base::word_of(member.config.weighting));
  }
  return names;
}

linear::MemberScores scores_of(const LabelledCorpus& documents, const ScoredNetwork& network,
                               const linear::LinearModel* linear) {
  const auto classes = static_cast<std::size_t>(network.classes());
  linear::MemberScores scores(linear == nullptr ? 1 : linear->members().size() + 1);
  for (auto& member : scores) member.resize(static_cast<std::size_t>(documents.size()) * classes);
  for_each_scored_batch(documents, network, linear,
                        [&](std::span<const std::int64_t> rows, const linear::MemberScores& batch) {
                          for (std::size_t k = 0; k < scores.size(); ++k) {
                            for (std::size_t i = 0; i < rows.size(); ++i) {
                              std::copy_n(&batch[k][i * classes], classes,
                                          &scores[k][static_cast<std::size_t>(rows[i]) * classes]);
                            }
                          }
                        });
  return scores;
}

}  // namespace fastformer::classification

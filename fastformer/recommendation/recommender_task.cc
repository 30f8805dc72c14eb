#include "fastformer/recommendation/recommender_task.h"

#include <unistd.h>

#include <span>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/format.h"
#include "fastformer/base/random.h"
#include "fastformer/metrics/item_results.h"
#include "fastformer/recommendation/collaborative/pooled_clicks.h"
#include "fastformer/recommendation/evaluation.h"
#include "fastformer/train/initial_vectors.h"
#include "fastformer/train/prepared_record.h"

namespace fastformer::recommendation {
namespace {

constexpr const char* kTestFile = "test.json";
constexpr const char* kRankingsFile = "prediction.txt";

// A quarter of the machine's memory.
std::int64_t kept_titles_limit() {
  return std::int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGE_SIZE) / 4;
}

metrics::Scores scores_with_loss(const Evaluation& evaluation) {
  auto scores = evaluation.ranking.mean();
  scores.insert(scores.begin(), {"loss", evaluation.loss});
  return scores;
}

metrics::ItemScores item_scores(const metrics::RankingMean& ranking, const ImpressionLog& log,
                                const ItemTable& table) {
  metrics::ItemScores items;
  for (const auto& metric : metrics::ranking_metrics()) items.metrics.push_back(metric.name);
  auto scores = ranking.scores().begin();
  for (std::int64_t i = 0; i < log.size(); ++i) {
    const auto impression = log[i];
    if (!metrics::measurable(relevance_of(impression.candidates))) continue;
    const auto end = scores + std::ssize(items.metrics);
    items.add(hash_of_shown(impression, table), {scores, end});
    scores = end;
  }
  return items;
}

std::uint64_t checksum_of(const ItemTable& items, const TitleTokens& titles) {
  auto hash = base::checksum(std::span<const std::int32_t>(titles.ids));
  hash = base::checksum(std::span<const std::int64_t>(titles.offsets), hash);
  for (std::int32_t item = 0; item < items.size(); ++item) {
    hash = base::fnv1a(items.id(item), base::fnv1a("\n", hash));
  }
  return hash;
}

std::uint64_t checksum_of(const ImpressionLog& log) {
  auto hash = base::kChecksumStart;
  for (std::int64_t i = 0; i < log.size(); ++i) {
    const auto impression = log[i];
    hash = base::checksum(impression.history, hash);
    for (const auto& candidate : impression.candidates) {
      const std::int32_t shown[] = {candidate.item(), candidate.clicked() ? 1 : 0};
      hash = base::checksum(std::span<const std::int32_t>(shown), hash);
    }
    hash = base::mix64(hash);  // an impression ends
  }
  return hash;
}

std::uint64_t users_and_times_of(const LogParts& parts) {
  auto hash = base::kChecksumStart;
  for (const auto* log : {&parts.train, &parts.validation}) {
    for (std::int64_t i = 0; i < log->size(); ++i) {
      const auto impression = (*log)[i];
      const double numbers[] = {static_cast<double>(impression.user), impression.time};
      hash = base::checksum(std::span<const double>(numbers), hash);
    }
  }
  return hash;
}

}  // namespace

RecommenderTask::RecommenderTask(const Recipe& recipe, Dataset dataset,
                                 std::optional<train::StartingModel> start)
    : recipe_(recipe),
      start_(std::move(start)),
      dataset_(std::move(dataset)),
      model_(recipe.model, dataset_.tokenizer->vocabulary_size(),
             static_cast<std::uint64_t>(recipe.train.seed)),
      frozen_(model_, dataset_.titles, kept_titles_limit()),
      sampler_(dataset_.parts.train, dataset_.titles,
               {.batch_size = recipe.batch_size,
                .negatives = recipe.model.negatives,
                .seed = static_cast<std::uint64_t>(recipe.train.seed)}) {
  // Not in initialize(): a resumed run also needs the frozen weights, which checkpoints do not
  // contain.
  if (start_) start_->copy_to(model_.parameters());
  if (has_members()) fit();  // not after hours of training, because it can lack memory
}

std::string RecommenderTask::summary() const {
  auto text = dataset_.summary() + base::format("training clicks %lld   skipped %lld\n",
                                                static_cast<long long>(sampler_.clicks()),
                                                static_cast<long long>(sampler_.skipped()));
  if (frozen_.bytes() > 0) {
    text += base::format("the frozen layers encode all titles before the first step, %.0f MiB\n",
                         static_cast<double>(frozen_.bytes()) / (1 << 20));
  }
  return text;
}

std::vector<train::PreparedPart> RecommenderTask::prepared() const {
  std::vector<train::PreparedPart> parts = {
      {"the vocabulary", dataset_.tokenizer->checksum()},
      {"the catalogue", checksum_of(dataset_.items, dataset_.titles)},
      {"the training part", checksum_of(dataset_.parts.train)},
      {"the validation part", checksum_of(dataset_.parts.validation)},
      {"the test part", checksum_of(dataset_.parts.test)},
      {"the part of the model that is not trained", train::checksum_of(fixed_parameters())}};
  if (has_members()) {
    parts.push_back({"the users and times of the clicks", users_and_times_of(dataset_.parts)});
  }
  if (start_) parts.insert(parts.begin(), start_->prepared());
  return parts;
}

std::vector<std::string> RecommenderTask::initialize() {
  auto notices = dataset_.notices;
  for (auto& notice :
       train::load_word_vectors(recipe_.train.word_vectors, *dataset_.tokenizer, parameters())) {
    notices.push_back(std::move(notice));
  }
  // After the word vectors, which are left to new words.
  if (start_) {
    for (auto& notice : start_->copy_to(model_.parameters())) {
      notices.push_back(std::move(notice));
    }
  }
  return notices;
}

std::int64_t RecommenderTask::begin_epoch(std::int64_t epoch, std::int64_t first_batch) {
  batches_.stop();
  sampler_.begin_epoch(epoch);
  batches_.begin([this](std::int64_t i) { return sampler_.batch(i); }, first_batch,
                 sampler_.batches());
  return sampler_.batches();
}

metrics::Scores RecommenderTask::validate() const {
  if (dataset_.parts.validation.size() == 0) return {};
  return scores_with_loss(evaluate(model_, dataset_.titles, dataset_.parts.validation));
}

train::TestReport RecommenderTask::test(const std::filesystem::path& folder) const {
  const auto& log = dataset_.parts.test;
  if (log.size() == 0) return {};
  RecommenderMeter meter;
  write_rankings(
      [&](const ScoreUse& use) { score_with_clicks(model_, clicks(), dataset_, log, use); },
      folder / kRankingsFile, log.labelled() ? &meter : nullptr);
  if (!log.labelled()) return {};
  const auto evaluation = meter.result();
  base::write_file_atomically(folder / kTestFile, evaluation_json(evaluation) + "\n");
  metrics::write_item_scores(folder / metrics::kItemScoresFile,
                             item_scores(evaluation.ranking, log, dataset_.items));
  train::TestReport report{.items = evaluation.ranking.impressions(),
                           .scores = scores_with_loss(evaluation),
                           .baselines = {},
                           .table = evaluation_table(evaluation)};
  const auto& own = evaluation.ranking;
  add_baseline("random", random_baseline(1), own, report);
  add_baseline("popularity", popularity_baseline(dataset_.parts.train, dataset_.items), own,
               report);
  if (!dataset_.items.categories().empty()) {
    add_baseline("category", category_baseline(dataset_.items), own, report);
  }
  const auto& members = fit().on_all();
  for (const auto& member : members.members) {
    const bool popular = member.bias.defined();
    add_baseline(popular ? "recent_popularity" : member.name,
                 members.scorer(member, dataset_.items.size()), own, report, member.setting);
  }
  return report;
}

RecommenderContent RecommenderTask::take_content() && {
  auto model = std::make_unique<RecommenderModel>(
      recipe_.model, dataset_.tokenizer->vocabulary_size(), /*seed=*/0);
  nn::assign(model->parameters(), model_.parameters(), "the trained model");
  auto clicks = this->clicks();
  return {recipe_.data, std::move(dataset_.tokenizer), std::move(model), std::move(clicks)};
}

std::shared_ptr<const ClickScores> RecommenderTask::clicks() const {
  if (!clicks_ && has_members()) {
    clicks_ = std::make_shared<ClickScores>(
        pooled_clicks(fit(), recipe_.model.items.members, dataset_, [&](const ScoreUse& use) {
          score_impressions(model_, dataset_.titles, dataset_.parts.validation, use);
        }));
  }
  return clicks_;
}

nn::ParameterMap RecommenderTask::fixed_parameters() const {
  nn::ParameterMap fixed;
  for (const auto& [name, tensor] : model_.parameters()) {
    if (!tensor.requires_grad()) fixed.emplace(name, tensor);
  }
  return fixed;
}

void RecommenderTask::add_baseline(const std::string& name, const ImpressionScorer& scorer,
                                   const metrics::RankingMean& own, train::TestReport& report,
                                   const std::string& setting) const {
  const auto ranking = rank_with(scorer, dataset_.parts.test);
  report.baselines.push_back({name, ranking.mean()});
  report.table += base::format("%-18s ", name.c_str()) + ranking_text(ranking.mean()) +
                  (setting.empty() ? "" : "   " + setting) + "\n";
  if (ranking.impressions() > 0) {
    report.table += "  the model's gain: " + mrr_gain_text(own, ranking) + "\n";
  }
}

}  // namespace fastformer::recommendation

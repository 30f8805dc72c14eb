#include "fastformer/recommendation/training.h"

#include <ATen/ATen.h>
#include <unistd.h>

#include <optional>
#include <set>
#include <stdexcept>
#include <utility>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/format.h"
#include "fastformer/base/random.h"
#include "fastformer/data/batch_stream.h"
#include "fastformer/kernels/parallel.h"
#include "fastformer/metrics/item_results.h"
#include "fastformer/nn/bert/bert_weights.h"
#include "fastformer/nn/torch_errors.h"
#include "fastformer/recommendation/baselines.h"
#include "fastformer/recommendation/click_sampler.h"
#include "fastformer/recommendation/dataset.h"
#include "fastformer/recommendation/evaluation.h"
#include "fastformer/recommendation/frozen_titles.h"
#include "fastformer/recommendation/recommender_model.h"
#include "fastformer/train/initial_vectors.h"
#include "fastformer/train/prepared_record.h"
#include "fastformer/train/starting_model.h"
#include "fastformer/train/task.h"
#include "fastformer/train/trainer.h"
#include "fastformer/train/training_run.h"

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

// What the recipe's train.from names; nothing without it.
std::optional<train::StartingModel> start_of(const Recipe& recipe) {
  if (recipe.train.from.empty()) return std::nullopt;
  const std::filesystem::path directory = recipe.train.from;
  const auto content = RecommenderContent::load(directory);
  return train::StartingModel(
      directory, train::shape_of(content.model->config(), text::tokenizer_config(directory)),
      train::shape_of(recipe.model, recipe.text),
      {"model.negatives", "model.pretrained", "model.trainable_layers", "model.pretrained_factor"});
}

// Training writes test.json (see evaluation_json), test_items.csv (the scores of each impression
// that can be measured) and prediction.txt for MIND's leaderboard; for a test part without clicks
// only the last.
class Task final : public train::Task {
 public:
  Task(const Recipe& recipe, Dataset dataset, std::optional<train::StartingModel> start)
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
  }

  std::string title() const override { return "Recommender"; }
  std::string summary() const override {
    auto text = dataset_.summary() + base::format("training clicks %lld   skipped %lld\n",
                                                  static_cast<long long>(sampler_.clicks()),
                                                  static_cast<long long>(sampler_.skipped()));
    if (frozen_.bytes() > 0) {
      text += base::format("the frozen layers encode all titles before the first step, %.0f MiB\n",
                           static_cast<double>(frozen_.bytes()) / (1 << 20));
    }
    return text;
  }
  std::vector<train::PreparedPart> prepared() const override {
    std::vector<train::PreparedPart> parts = {
        {"the vocabulary", dataset_.tokenizer->checksum()},
        {"the catalogue", checksum_of(dataset_.items, dataset_.titles)},
        {"the training part", checksum_of(dataset_.parts.train)},
        {"the validation part", checksum_of(dataset_.parts.validation)},
        {"the test part", checksum_of(dataset_.parts.test)},
        {"the part of the model that is not trained", train::checksum_of(fixed_parameters())}};
    if (start_) parts.insert(parts.begin(), start_->prepared());
    return parts;
  }
  const nn::ParameterMap& parameters() const override { return model_.trained_parameters(); }
  std::set<std::string> row_sparse_parameters() const override {
    return model_.row_sparse_parameters();
  }
  double learning_rate_factor(const std::string& parameter) const override {
    return model_.learning_rate_factor(parameter);
  }
  std::vector<std::string> initialize() override {
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

  std::int64_t batches(std::int64_t /*epoch*/) const override { return sampler_.batches(); }
  std::int64_t begin_epoch(std::int64_t epoch, std::int64_t first_batch) override {
    batches_.stop();
    sampler_.begin_epoch(epoch);
    batches_.begin([this](std::int64_t i) { return sampler_.batch(i); }, first_batch,
                   sampler_.batches());
    return sampler_.batches();
  }
  void next_batch() override { batches_.next(); }
  std::int64_t tokens() const override { return batches_->tokens(); }
  std::vector<std::pair<std::string, at::Tensor>> touched_rows() const override {
    return model_.touched_rows(*batches_);
  }
  at::Tensor loss() const override {
    return model_.loss(*batches_, /*training=*/true, frozen_.rows(*batches_));
  }

  metrics::Scores validate() const override {
    if (dataset_.parts.validation.size() == 0) return {};
    return scores_with_loss(evaluate(model_, dataset_.titles, dataset_.parts.validation));
  }

  train::TestReport test(const std::filesystem::path& folder) const override {
    const auto& log = dataset_.parts.test;
    if (log.size() == 0) return {};
    RecommenderMeter meter;
    write_rankings(
        [&](const ScoreUse& use) { score_impressions(model_, dataset_.titles, log, use); },
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
    add_baseline("random", random_baseline(1), report);
    add_baseline("popularity", popularity_baseline(dataset_.parts.train, dataset_.items), report);
    if (!dataset_.items.categories().empty()) {
      add_baseline("category", category_baseline(dataset_.items), report);
    }
    return report;
  }

  void save_model(const std::filesystem::path& directory, const std::string& card) const override {
    save_recommender(directory, recipe_.data, *dataset_.tokenizer, model_, card);
  }

  // The trained model; the task must not be used any more.
  RecommenderContent take_content() && {
    auto model = std::make_unique<RecommenderModel>(
        recipe_.model, dataset_.tokenizer->vocabulary_size(), /*seed=*/0);
    nn::assign(model->parameters(), model_.parameters(), "the trained model");
    return {recipe_.data, std::move(dataset_.tokenizer), std::move(model)};
  }

 private:
  nn::ParameterMap fixed_parameters() const {
    nn::ParameterMap fixed;
    for (const auto& [name, tensor] : model_.parameters()) {
      if (!tensor.requires_grad()) fixed.emplace(name, tensor);
    }
    return fixed;
  }

  // The baselines, on the same impressions.
  void add_baseline(const std::string& name, const ImpressionScorer& scorer,
                    train::TestReport& report) const {
    const auto scores = rank_with(scorer, dataset_.parts.test).mean();
    report.baselines.push_back({name, scores});
    report.table += base::format("%-12s ", name.c_str()) + ranking_text(scores) + "\n";
  }

  Recipe recipe_;
  std::optional<train::StartingModel> start_;
  Dataset dataset_;
  RecommenderModel model_;
  mutable FrozenTitles frozen_;  // computed by the first loss()
  ClickSampler sampler_;
  data::BatchStream<ItemBatch> batches_;  // last: it reads the sampler
};

}  // namespace

Recipe::Recipe() { train.metric = measures().validation.front(); }

void Recipe::visit_train_fields(base::FieldVisitor& visit) {
  train.visit_fields(visit, measures());
  visit("batch_size", batch_size, "clicks per batch", base::between(1, 1'000'000));
}

Recipe Recipe::read(const base::ConfigTree& tree) {
  Recipe recipe;
  tree.check_sections({"task", "data", "model", "text", "train"});
  tree.read_section("text", recipe.text);
  train::TrainSection<Recipe> section{recipe};
  tree.read_section("train", section);
  recipe.resolve_metric();
  tree.read_section("data", recipe.data);
  recipe.model = ModelConfig::read(tree);
  check_pretrained_text(recipe.model, recipe.text);
  if (recipe.model.has_pretrained() && !recipe.train.word_vectors.empty()) {
    throw std::invalid_argument(
        std::string(
            "train.word_vectors is for models with trained word embeddings; remove it with ") +
        base::word_of(recipe.model.model));
  }
  recipe.data.title_tokens = recipe.model.title_limit(recipe.data.title_tokens);
  return recipe;
}

Recipe Recipe::load(const std::filesystem::path& file,
                    const std::vector<std::string>& assignments) {
  return read(base::ConfigTree::from_toml(file, assignments));
}

std::string Recipe::task() const { return "recommendation"; }

train::Measures Recipe::measures() const {
  std::vector<std::string> names;
  for (const auto& metric : metrics::ranking_metrics()) names.push_back(metric.name);
  return train::Measures::of(names, "impressions");
}

base::ConfigTree Recipe::tree() const {
  Recipe copy = *this;
  base::ConfigTree tree;
  tree.set("task", "name", {task(), "resolved"});
  tree.write_section("data", data);
  tree.write_section("model", model);
  tree.write_section("text", text);
  tree.write_section("train", train::TrainSection<Recipe>{copy});
  return tree;
}

std::vector<train::RecipeSource> Recipe::sources() const {
  std::vector<train::RecipeSource> sources;
  for (const auto& file : data.train) sources.push_back({"data.train", file});
  for (const auto& file : data.validation) sources.push_back({"data.validation", file});
  for (const auto& file : data.test) sources.push_back({"data.test", file});
  for (const auto& file : data.news) sources.push_back({"data.news", file});
  if (model.has_pretrained()) {
    sources.push_back({"model.pretrained", nn::bert_weights_file(model.pretrained)});
  }
  add_shared_sources(sources);
  return sources;
}

bool Recipe::has_test_part() const { return !data.test.empty() || data.test_fraction > 0; }

std::unique_ptr<train::Task> Recipe::open(const std::filesystem::path& /*cache*/,
                                          const data::Notice& /*notice*/) const {
  auto start = start_of(*this);
  return std::make_unique<Task>(*this, prepare(data, text, this->train.from), std::move(start));
}

void Recipe::check_model() const {
  constexpr std::int64_t kVocabulary = 8;
  auto config = model;
  config.bert.vocabulary_size = kVocabulary;
  RecommenderModel(config, kVocabulary, nn::ParameterStore::without_values());
}

nn::ParameterMap Recipe::largest_model() const {
  const auto tokens = model.has_pretrained() ? model.bert.vocabulary_size : text.vocabulary_size;
  return RecommenderModel(model, tokens, nn::ParameterStore::without_values()).parameters();
}

Recommender train(const Recipe& recipe, const std::filesystem::path& folder,
                  train::Observer* observer) {
  return nn::without_torch_errors(
      [&] { return Recommender::load(train::train_in(recipe, folder, observer)); });
}

Recommender train(std::span<const Item> items, std::span<const ImpressionExample> impressions,
                  const Recipe& recipe, train::Observer* observer) {
  return nn::without_torch_errors([&] {
    const kernels::ComputeScope scope(recipe.train.precision, recipe.train.threads);
    auto start = start_of(recipe);
    Task task(recipe,
              prepare(clicks_of(items, impressions, recipe.data), recipe.data, recipe.text,
                      recipe.train.from),
              std::move(start));
    train::Trainer trainer(recipe.train, task, {.observers = train::observer_list(observer)});
    trainer.run();
    return Recommender(std::move(task).take_content());
  });
}

}  // namespace fastformer::recommendation

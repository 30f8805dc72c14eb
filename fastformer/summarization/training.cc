#include "fastformer/summarization/training.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <set>
#include <utility>

#include "fastformer/base/random.h"
#include "fastformer/data/batch_stream.h"
#include "fastformer/kernels/parallel.h"
#include "fastformer/metrics/item_results.h"
#include "fastformer/nn/torch_errors.h"
#include "fastformer/summarization/dataset.h"
#include "fastformer/summarization/evaluation.h"
#include "fastformer/summarization/summarizer_model.h"
#include "fastformer/train/initial_vectors.h"
#include "fastformer/train/prepared_record.h"
#include "fastformer/train/task.h"
#include "fastformer/train/trainer.h"
#include "fastformer/train/training_run.h"

namespace fastformer::summarization {
namespace {

metrics::ItemScores item_scores(const Evaluation& evaluation, std::span<const TextPair> texts) {
  metrics::ItemScores items{.metrics = {"rouge_1", "rouge_2", "rouge_l", "rouge_lsum"}};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto& rouge = evaluation.rouge[i];
    items.add(base::fnv1a(texts[i].target, base::fnv1a("\n", base::fnv1a(texts[i].source))),
              {rouge.rouge1.f, rouge.rouge2.f, rouge.rouge_l.f, rouge.rouge_lsum.f});
  }
  return items;
}

std::vector<metrics::NamedScores> baselines_of(const Evaluation& evaluation) {
  std::vector<metrics::NamedScores> baselines;
  for (std::size_t i = 1; i < evaluation.rows.size(); ++i) {
    baselines.push_back({evaluation.rows[i].name, rouge_scores(evaluation.rows[i])});
  }
  return baselines;
}

// The score on the validation part is the loss (mean cross-entropy of a token in nats, without
// smoothing), on the test part ROUGE, too, of summaries written as the recipe's [search] says.
// Training leaves test.json, test_summaries.jsonl and test_items.csv (the ROUGE of each document).
class Task final : public train::Task {
 public:
  Task(const Recipe& recipe, Dataset dataset)
      : recipe_(recipe),
        dataset_(std::move(dataset)),
        model_(recipe.model, vocabulary_of(*dataset_.tokenizer),
               static_cast<std::uint64_t>(recipe.train.seed)),
        plan_(dataset_.train.lengths(), recipe.batch,
              static_cast<std::uint64_t>(recipe.train.seed)) {}

  std::string title() const override { return "Summarizer"; }
  std::string summary() const override { return dataset_.summary(); }
  std::vector<train::PreparedPart> prepared() const override {
    const auto part = [](const PairCorpus& corpus) {
      return base::mix64(corpus.source.checksum()) ^ corpus.target.checksum();
    };
    return {{"the vocabulary", train::checksum_of(*dataset_.tokenizer)},
            {"the training part", part(dataset_.train)},
            {"the validation part", part(dataset_.validation)},
            {"the test part", part(dataset_.test)}};
  }
  const nn::ParameterMap& parameters() const override { return model_.parameters(); }
  std::set<std::string> row_sparse_parameters() const override {
    return model_.row_sparse_parameters();
  }
  std::vector<std::string> initialize() override {
    return train::load_word_vectors(recipe_.train.word_vectors, *dataset_.tokenizer, parameters());
  }

  std::int64_t batches(std::int64_t epoch) const override { return plan_.batches(epoch); }
  std::int64_t begin_epoch(std::int64_t epoch, std::int64_t first_batch) override {
    auto rows = plan_.epoch(epoch);
    const auto count = std::ssize(rows);
    batches_.begin(
        [this, rows = std::move(rows)](std::int64_t i) {
          return gather(dataset_.train, rows[static_cast<std::size_t>(i)]);
        },
        first_batch, count);
    return count;
  }
  void next_batch() override { batches_.next(); }
  std::int64_t tokens() const override {
    return batches_->source.tokens() + batches_->target.tokens();
  }
  std::vector<std::pair<std::string, at::Tensor>> touched_rows() const override {
    return model_.touched_rows(*batches_);
  }
  at::Tensor loss() const override {
    return model_.loss(*batches_, recipe_.label_smoothing, /*training=*/true);
  }

  metrics::Scores validate() const override {
    if (dataset_.validation.size() == 0) return {};
    return {{"loss", mean_loss(model_, dataset_.validation)}};
  }

  train::TestReport test(const std::filesystem::path& folder) const override {
    if (dataset_.test.size() == 0) return {};
    const auto texts = read_texts(recipe_.data, recipe_.data.test, dataset_.test);
    const auto evaluation =
        evaluate(model_, *dataset_.tokenizer, recipe_.search, dataset_.test, texts);
    write_evaluation(evaluation, texts, folder);
    metrics::write_item_scores(folder / metrics::kItemScoresFile, item_scores(evaluation, texts));
    return {.items = dataset_.test.size(),
            .scores = evaluation.scores,
            .baselines = baselines_of(evaluation),
            .table = evaluation_table(evaluation)};
  }

  void save_model(const std::filesystem::path& directory, const std::string& card) const override {
    save_summarizer(directory, {recipe_.data, recipe_.search, *dataset_.tokenizer, model_}, card);
  }

  // The trained model; the task must not be used any more.
  SummarizerContent take_content() && {
    auto model = std::make_unique<SummarizerModel>(recipe_.model,
                                                   vocabulary_of(*dataset_.tokenizer), /*seed=*/0);
    nn::assign(model->parameters(), model_.parameters(), "the trained model");
    return {recipe_.data, recipe_.search, std::move(dataset_.tokenizer), std::move(model)};
  }

 private:
  Recipe recipe_;
  Dataset dataset_;
  SummarizerModel model_;
  data::BatchPlan plan_;
  data::BatchStream<PairBatch> batches_;  // last: it reads the data set
};

}  // namespace

Recipe::Recipe() { train.metric = measures().validation.front(); }

void Recipe::visit_train_fields(base::FieldVisitor& visit) {
  train.visit_fields(visit, measures());
  batch.visit_fields(visit);
  visit("label_smoothing", label_smoothing, "share of the target spread over the vocabulary",
        base::between(0, 0.99));
}

Recipe Recipe::read(const base::ConfigTree& tree) {
  Recipe recipe;
  tree.check_sections({"task", "data", "model", "search", "text", "train"});
  tree.read_section("text", recipe.text);
  train::TrainSection<Recipe> section{recipe};
  tree.read_section("train", section);
  recipe.resolve_metric();
  tree.read_section("data", recipe.data);
  recipe.model = ModelConfig::read(tree);
  tree.read_section("search", recipe.search);
  auto& data = recipe.data;
  data.max_source_tokens = recipe.model.source.token_limit(data.max_source_tokens);
  data.max_target_tokens = recipe.model.summary_limit(data.max_target_tokens);
  return recipe;
}

Recipe Recipe::load(const std::filesystem::path& file,
                    const std::vector<std::string>& assignments) {
  auto tree = base::ConfigTree::from_toml(file);
  for (const auto& assignment : assignments) tree.set(assignment);
  return read(tree);
}

std::string Recipe::task() const { return "summarization"; }

train::Measures Recipe::measures() const {
  return {.validation = {"loss"},
          .test = {"rouge_1", "rouge_2", "rouge_l", "rouge_lsum", "loss"},
          .main = {"rouge_1", "rouge_2", "rouge_l"},
          .items = "documents"};
}

base::ConfigTree Recipe::tree() const {
  Recipe copy = *this;
  base::ConfigTree tree;
  tree.set("task", "name", {task(), "resolved"});
  tree.write_section("data", data);
  tree.write_section("model", model);
  tree.write_section("search", search);
  tree.write_section("text", text);
  tree.write_section("train", train::TrainSection<Recipe>{copy});
  return tree;
}

std::vector<train::RecipeSource> Recipe::sources() const {
  std::vector<train::RecipeSource> sources;
  const auto add = [&](const char* field, const std::vector<std::string>& entries) {
    for (const auto& entry : entries) {
      for (const auto& file : pair_sources(data, entry)) sources.push_back({field, file});
    }
  };
  add("data.train", data.train);
  add("data.validation", data.validation);
  add("data.test", data.test);
  add_shared_sources(sources);
  return sources;
}

std::unique_ptr<train::Task> Recipe::open(const std::filesystem::path& cache,
                                          const data::Notice& notice) const {
  return std::make_unique<Task>(*this, prepare(data, text, cache, notice));
}

void Recipe::check_model() const {
  auto config = model;
  config.source.bigram_buckets = std::min<std::int64_t>(config.source.bigram_buckets, 1);
  SummarizerModel(config, {.size = 8, .begin = 0, .end = 1}, /*seed=*/0);
}

nn::ParameterMap Recipe::largest_model() const {
  return SummarizerModel(model, {text.vocabulary_size + 2, 0, 1}, /*seed=*/0).parameters();
}

Summarizer train(const Recipe& recipe, const std::filesystem::path& folder,
                 train::Observer* observer) {
  return nn::without_torch_errors([&] {
    train::TrainingRun run(recipe, folder, {.notice = train::notices_to(observer)});
    run.train(train::observer_list(observer));
    run.finish();
    return Summarizer::load(run.directory().model());
  });
}

Summarizer train(std::span<const TextPair> pairs, const Recipe& recipe, train::Observer* observer) {
  return nn::without_torch_errors([&] {
    const kernels::ComputeScope scope(recipe.train.precision, recipe.train.threads);
    Task task(recipe, prepare(pairs, recipe.data, recipe.text));
    train::Trainer trainer(recipe.train, task, {.observers = train::observer_list(observer)});
    trainer.run();
    return Summarizer(std::move(task).take_content());
  });
}

}  // namespace fastformer::summarization

#include "fastformer/classification/training.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <set>
#include <stdexcept>
#include <utility>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/random.h"
#include "fastformer/classification/dataset.h"
#include "fastformer/classification/document_scores.h"
#include "fastformer/classification/evaluation.h"
#include "fastformer/classification/label_set_evaluation.h"
#include "fastformer/classification/label_set_loss.h"
#include "fastformer/classification/label_thresholds.h"
#include "fastformer/classification/start.h"
#include "fastformer/data/batch.h"
#include "fastformer/data/batch_stream.h"
#include "fastformer/kernels/parallel.h"
#include "fastformer/metrics/item_results.h"
#include "fastformer/metrics/label_sets.h"
#include "fastformer/nn/torch_errors.h"
#include "fastformer/train/initial_vectors.h"
#include "fastformer/train/prepared_record.h"
#include "fastformer/train/starting_model.h"
#include "fastformer/train/task.h"
#include "fastformer/train/trainer.h"
#include "fastformer/train/training_run.h"

namespace fastformer::classification {
namespace {

constexpr const char* kTestFile = "test.json";

struct Batch {
  data::TokenBatch texts, labels;
};

Batch gather(const LabelledCorpus& corpus, std::span<const std::int64_t> rows) {
  return {data::gather(corpus.texts, rows), data::gather(corpus.labels, rows)};
}

using Loss = std::function<at::Tensor(const at::Tensor& logits, const data::TokenBatch& labels)>;

Loss make_loss(const LossConfig& config, const Dataset& dataset) {
  const auto counts = dataset.train.class_counts(dataset.labels.size());
  if (dataset.several_labels) {
    return [loss = LabelSetLoss(config, counts, dataset.train.size())](
               const at::Tensor& logits, const data::TokenBatch& labels) {
      return loss.forward(logits, labels);
    };
  }
  return [loss = ClassificationLoss(config, counts)](const at::Tensor& logits,
                                                     const data::TokenBatch& labels) {
    return loss.forward(logits, labels.ids);
  };
}

// The linear members with a pool that the validation part has fitted, and with several labels per
// document their thresholds.
struct Fitted {
  std::optional<linear::LinearPart> linear;
  std::vector<double> thresholds;
};

// Training writes test.json (see evaluation_json) and test_predictions.csv
// (metrics/item_results.h). With several labels per document it writes label_set_json() and
// write_label_sets() to these files, and test_items.csv.
class Task final : public train::Task {
 public:
  Task(const Recipe& recipe, Dataset dataset, std::optional<Start> start)
      : recipe_(recipe),
        start_(std::move(start)),
        dataset_(std::move(dataset)),
        model_(recipe.model, dataset_.tokenizer->vocabulary_size(), std::ssize(dataset_.labels),
               static_cast<std::uint64_t>(recipe.train.seed)),
        loss_(make_loss(recipe.loss, dataset_)),
        plan_(dataset_.train.texts.lengths(), recipe.batch,
              static_cast<std::uint64_t>(recipe.train.seed)) {
    if (dataset_.train.size() == 0) throw std::invalid_argument("there is no training document");
  }

  std::string title() const override { return "Text classifier"; }
  std::string summary() const override { return dataset_.summary(); }
  std::vector<train::PreparedPart> prepared() const override {
    const auto part = [](const LabelledCorpus& corpus) {
      return base::mix64(corpus.texts.checksum()) ^ corpus.labels.checksum();
    };
    std::vector<train::PreparedPart> parts = {
        {"the vocabulary", dataset_.tokenizer->checksum()},
        {"the list of labels", train::checksum_of(dataset_.labels)},
        {"the training part", part(dataset_.train)},
        {"the validation part", part(dataset_.validation)},
        {"the test part", part(dataset_.test)}};
    if (start_) parts.insert(parts.begin(), start_->model.prepared());
    return parts;
  }
  const nn::ParameterMap& parameters() const override { return model_.parameters(); }
  std::set<std::string> row_sparse_parameters() const override {
    return model_.row_sparse_parameters();
  }
  std::vector<std::string> initialize() override {
    auto notices = dataset_.notices;
    for (auto& notice :
         train::load_word_vectors(recipe_.train.word_vectors, *dataset_.tokenizer, parameters())) {
      notices.push_back(std::move(notice));
    }
    if (dataset_.several_labels) {
      const auto& bias = parameters().at("classifier.bias");
      const at::NoGradGuard no_gradient;
      bias.copy_(
          prior_logits(dataset_.train.class_counts(dataset_.labels.size()), dataset_.train.size()));
    }
    // Last, so that the initial values above are left to new words and labels.
    if (start_) {
      for (auto& notice : start_->model.copy_to(parameters())) notices.push_back(std::move(notice));
    }
    return notices;
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
  void next_batch() override {
    chosen_.reset();  // the network is about to change
    fitted_.reset();
    batches_.next();
  }
  std::int64_t tokens() const override { return batches_->texts.tokens(); }
  std::vector<std::pair<std::string, at::Tensor>> touched_rows() const override {
    return model_.touched_rows(batches_->texts);
  }
  at::Tensor loss() const override {
    return loss_(model_.forward(batches_->texts, /*training=*/true), batches_->labels);
  }

  metrics::Scores validate() const override {
    if (dataset_.validation.size() == 0) return {};
    if (dataset_.several_labels) {
      const std::vector<double> even(dataset_.labels.size(), 0.5);
      return evaluate_label_sets(dataset_.validation, nullptr, even).scores();
    }
    return evaluate(dataset_.validation, nullptr).scores();
  }

  metrics::Scores validate_model() const override {
    if (dataset_.validation.size() == 0) return {};
    const auto& [linear, thresholds] = chosen();
    const auto* part = linear ? &*linear : nullptr;
    return dataset_.several_labels
               ? evaluate_label_sets(dataset_.validation, part, thresholds).scores()
               : evaluate(dataset_.validation, part).scores();
  }

  train::TestReport test(const std::filesystem::path& folder) const override {
    if (dataset_.test.size() == 0) return {};
    const auto& [linear, thresholds] = fitted();
    if (dataset_.several_labels) {
      return test_label_sets(
          folder, evaluate_label_sets(dataset_.test, linear ? &*linear : nullptr, thresholds));
    }
    const auto evaluation = evaluate(dataset_.test, linear ? &*linear : nullptr);
    base::write_file_atomically(folder / kTestFile,
                                evaluation_json(evaluation, dataset_.labels) + "\n");
    metrics::ClassPredictions predictions{.labels = dataset_.test.all_labels(),
                                          .predicted = evaluation.predicted,
                                          .rows = {},
                                          .probability = evaluation.probability,
                                          .names = dataset_.labels};
    for (std::int64_t row = 0; row < dataset_.test.size(); ++row) {
      predictions.rows.push_back(dataset_.test.texts.record(row) + 1);
    }
    metrics::write_class_predictions(folder / metrics::kClassPredictionsFile, predictions);
    return {.items = evaluation.confusion.total(),
            .scores = evaluation.scores(),
            .baselines = {},
            .table = evaluation_table(evaluation, dataset_.labels)};
  }

  void save_model(const std::filesystem::path& directory, const std::string& card) const override {
    save_classifier(directory,
                    {dataset_.labels, recipe_.data.max_tokens, recipe_.data, *dataset_.tokenizer,
                     model_, fitted().linear, fitted().thresholds},
                    card);
  }

  // The trained model; the task must not be used any more.
  ClassifierContent take_content() && {
    auto model = std::make_unique<ClassifierModel>(
        recipe_.model, dataset_.tokenizer->vocabulary_size(), model_.classes(), /*seed=*/0);
    nn::assign(model->parameters(), model_.parameters(), "the trained model");
    fitted();
    return {{.labels = std::move(dataset_.labels),
             .thresholds = std::move(fitted_->thresholds),
             .max_tokens = recipe_.data.max_tokens,
             .tokenizer = std::move(dataset_.tokenizer),
             .linear = std::move(fitted_->linear)},
            recipe_.data,
            std::move(model)};
  }

 private:
  // What the model has beside the present network; kept until the network changes. Validation has
  // chosen all settings of the linear members; more texts make them better.
  const Fitted& fitted() const {
    if (fitted_) return *fitted_;
    auto& result = fitted_.emplace(chosen());
    if (result.linear && dataset_.validation.size() > 0) {
      result.linear->model =
          std::make_shared<linear::LinearModel>(result.linear->model->refitted(linear_rows(
              {&dataset_.train, &dataset_.validation}, model_.classes(), dataset_.several_labels)));
    }
    return result;
  }

  // The same, with linear members of the training part alone. Without a validation part all members
  // have equal weights, and all thresholds are 0.5.
  const Fitted& chosen() const {
    if (chosen_) return *chosen_;
    auto& result = chosen_.emplace(Fitted{dataset_.linear, {}});
    if (dataset_.several_labels) result.thresholds.assign(dataset_.labels.size(), 0.5);
    const auto& validation = dataset_.validation;
    const bool chooses = result.linear || dataset_.several_labels;
    if (!chooses || validation.size() == 0) return result;
    const auto* linear = result.linear ? result.linear->model.get() : nullptr;
    const auto scores = scores_of(validation, model_, linear);
    const auto targets = validation.targets(model_.classes(), dataset_.several_labels);
    if (result.linear) {
      auto& pool = result.linear->pool;
      pool = linear::fit_pool(scores, targets, pool.coefficients);
    }
    if (dataset_.several_labels) {
      result.thresholds = choose_thresholds(
          result.linear ? result.linear->pool.logits(scores) : scores.front(), targets);
    }
    return result;
  }

  LabelSetEvaluation evaluate_label_sets(const LabelledCorpus& documents,
                                         const linear::LinearPart* linear,
                                         const std::vector<double>& thresholds) const {
    LabelSetEvaluator evaluator(model_, linear, thresholds);
    evaluator.add(documents);
    return evaluator.result();
  }

  train::TestReport test_label_sets(const std::filesystem::path& folder,
                                    const LabelSetEvaluation& evaluation) const {
    base::write_file_atomically(folder / kTestFile,
                                label_set_json(evaluation, dataset_.labels) + "\n");
    write_label_sets(folder / metrics::kClassPredictionsFile, evaluation, dataset_.test,
                     dataset_.labels, recipe_.data);
    metrics::write_item_scores(folder / metrics::kItemScoresFile,
                               item_scores(evaluation, dataset_.test));
    return {.items = evaluation.totals.total(),
            .scores = evaluation.scores(),
            .baselines = {},
            .table = label_set_table(evaluation, dataset_.labels)};
  }

  Evaluation evaluate(const LabelledCorpus& documents, const linear::LinearPart* linear) const {
    Evaluator evaluator(model_, linear);
    evaluator.add(documents);
    return evaluator.result();
  }

  Recipe recipe_;
  std::optional<Start> start_;
  Dataset dataset_;
  ClassifierModel model_;
  Loss loss_;
  mutable std::optional<Fitted> chosen_, fitted_;  // see the functions of these names
  data::BatchPlan plan_;
  data::BatchStream<Batch> batches_;  // last: it reads the data set
};

}  // namespace

void Recipe::visit_train_fields(base::FieldVisitor& visit) {
  train.visit_fields(visit, measures());
  batch.visit_fields(visit);
  loss.visit_fields(visit);
}

Recipe Recipe::read(const base::ConfigTree& tree) {
  Recipe recipe;
  tree.check_sections({"task", "data", "model", "text", "linear", "train"});
  tree.read_section("text", recipe.text);
  tree.read_section("linear", recipe.linear);
  tree.read_section("data", recipe.data);
  train::TrainSection<Recipe> section{recipe};
  tree.read_section("train", section);
  recipe.resolve_metric();
  recipe.model = model::ClassifierConfig::read(tree);
  // Documents longer than the positions are truncated and counted.
  recipe.data.max_tokens = recipe.model.text.token_limit(recipe.data.max_tokens);
  return recipe;
}

Recipe Recipe::load(const std::filesystem::path& file,
                    const std::vector<std::string>& assignments) {
  return read(base::ConfigTree::from_toml(file, assignments));
}

std::string Recipe::task() const { return "classification"; }

train::Measures Recipe::measures() const {
  std::vector<std::string> names;
  if (data.several_labels()) {
    for (const auto& metric : metrics::label_set_metrics()) names.push_back(metric.name);
  } else {
    for (const auto& metric : metrics::class_metrics()) names.push_back(metric.name);
  }
  return train::Measures::of(names, "documents");
}

base::ConfigTree Recipe::tree() const {
  Recipe copy = *this;
  base::ConfigTree tree;
  tree.set("task", "name", {task(), "resolved"});
  tree.write_section("data", data);
  tree.write_section("model", model);
  tree.write_section("text", text);
  tree.write_section("linear", linear);
  tree.write_section("train", train::TrainSection<Recipe>{copy});
  return tree;
}

std::vector<train::RecipeSource> Recipe::sources() const {
  std::vector<train::RecipeSource> sources;
  for (const auto& file : data.train) sources.push_back({"data.train", file});
  for (const auto& file : data.validation) sources.push_back({"data.validation", file});
  for (const auto& file : data.test) sources.push_back({"data.test", file});
  add_shared_sources(sources);
  return sources;
}

bool Recipe::has_test_part() const { return !data.test.empty() || data.test_fraction > 0; }

std::unique_ptr<train::Task> Recipe::open(const std::filesystem::path& cache,
                                          const data::Notice& notice) const {
  auto start = start_of(*this);
  auto dataset = prepare(data, text, linear, cache, notice, point_of(start));
  return std::make_unique<Task>(*this, std::move(dataset), std::move(start));
}

void Recipe::check_model() const {
  auto config = model;
  config.text.bigram_buckets = std::min<std::int64_t>(config.text.bigram_buckets, 1);
  ClassifierModel(config, /*vocabulary_size=*/8, /*classes=*/2,
                  nn::ParameterStore::without_values());
}

nn::ParameterMap Recipe::largest_model() const {
  return ClassifierModel(model, text.vocabulary_size, /*classes=*/2,
                         nn::ParameterStore::without_values())
      .parameters();
}

Classifier train(const Recipe& recipe, const std::filesystem::path& folder,
                 train::Observer* observer) {
  Recipe resolved = recipe;
  resolved.resolve_metric();
  return nn::without_torch_errors(
      [&] { return Classifier::load(train::train_in(resolved, folder, observer)); });
}

Classifier train(std::span<const Example> examples, const Recipe& recipe,
                 train::Observer* observer) {
  Recipe resolved = recipe;
  resolved.resolve_metric();
  return nn::without_torch_errors([&] {
    const kernels::ComputeScope scope(resolved.train.precision, resolved.train.threads);
    auto start = start_of(resolved);
    auto dataset =
        prepare(examples, resolved.data, resolved.text, resolved.linear, point_of(start));
    Task task(resolved, std::move(dataset), std::move(start));
    train::Trainer trainer(resolved.train, task, {.observers = train::observer_list(observer)});
    trainer.run();
    return Classifier(std::move(task).take_content());
  });
}

}  // namespace fastformer::classification

#include "fastformer/classification/classifier_task.h"

#include <c10/core/GradMode.h>

#include <array>
#include <cmath>
#include <memory>
#include <span>
#include <stdexcept>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/config_tree.h"
#include "fastformer/base/random.h"
#include "fastformer/classification/adversarial.h"
#include "fastformer/classification/document_scores.h"
#include "fastformer/classification/label_set_loss.h"
#include "fastformer/classification/label_thresholds.h"
#include "fastformer/classification/loss.h"
#include "fastformer/metrics/item_results.h"
#include "fastformer/train/initial_vectors.h"
#include "fastformer/train/prepared_record.h"

namespace fastformer::classification {
namespace {

constexpr const char* kTestFile = "test.json";

// Of its shape and of all its parameters.
std::uint64_t checksum_of_encoder(const ClassifierModel& model) {
  nn::ParameterMap own;
  for (const auto& [name, tensor] : model.parameters()) {
    if (name.starts_with(kPretrained)) own[name] = tensor;
  }
  base::ConfigTree shape;
  shape.write_section("pretrained", model.config().pretrained.bert);
  return base::fnv1a(shape.to_json(), train::checksum_of(own));
}

}  // namespace

ClassifierTask::ClassifierTask(const Recipe& recipe, Dataset dataset, std::optional<Start> start,
                               const Sources& sources)
    : recipe_(recipe),
      start_(std::move(start)),
      dataset_(std::move(dataset)),
      model_(new_model(static_cast<std::uint64_t>(recipe.train.seed))),
      frozen_(model_, sources.cache, sources.notice) {
  if (dataset_.train.size() == 0) throw std::invalid_argument("there is no training document");
  if (dataset_.unlabelled.size() > 0 && !recipe.distillation) {
    throw std::invalid_argument(
        "data.unlabelled needs a model that says what is right: set train.teacher, or remove it");
  }
  // A resumed run reads only the trained parameters.
  if (start_) start_->model.copy_to(model_.parameters());
  if (recipe_.model.pretrained) encoder_ = checksum_of_encoder(model_);
  if (recipe_.distillation) {
    teacher_.emplace(recipe_.distillation.teachers, dataset_,
                     sources.examples.empty() ? texts_in_files(recipe_.data, dataset_)
                                              : texts_in_memory(sources.examples),
                     sources.cache, sources.notice,
                     Options{.threads = static_cast<int>(recipe.train.threads),
                             .precision = recipe.train.precision});
  }
  learn_from({&dataset_.train, &dataset_.unlabelled});
}

ClassifierModel ClassifierTask::new_model(std::uint64_t seed) const {
  return {recipe_.model, dataset_.tokenizer->vocabulary_size(), std::ssize(dataset_.labels), seed};
}

void ClassifierTask::learn_from(std::vector<const LabelledCorpus*> parts) {
  parts_ = std::move(parts);
  std::vector<std::int64_t> lengths;
  for (const auto* part : parts_) {
    const auto own = part->texts.lengths();
    lengths.insert(lengths.end(), own.begin(), own.end());
  }
  plan_.emplace(std::move(lengths), recipe_.batch, static_cast<std::uint64_t>(recipe_.train.seed));
  if (dataset_.several_labels) {
    loss_ = [loss = LabelSetLoss(recipe_.loss, class_counts(), labelled_documents())](
                const at::Tensor& logits, const data::TokenBatch& labels) {
      return loss.forward(logits, labels);
    };
  } else {
    loss_ = [loss = ClassificationLoss(recipe_.loss, class_counts())](
                const at::Tensor& logits, const data::TokenBatch& labels) {
      return loss.forward(logits, labels.ids);
    };
  }
}

std::vector<std::int64_t> ClassifierTask::class_counts() const {
  std::vector<std::int64_t> counts(dataset_.labels.size());
  for (const auto* part : parts_) {
    const auto own = part->class_counts(counts.size());
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += own[i];
  }
  return counts;
}

std::int64_t ClassifierTask::labelled_documents() const {
  std::int64_t documents = 0;
  for (const auto* part : parts_) documents += part == &dataset_.unlabelled ? 0 : part->size();
  return documents;
}

std::vector<train::PreparedPart> ClassifierTask::prepared() const {
  const auto part = [](const LabelledCorpus& corpus) {
    return base::mix64(corpus.texts.checksum()) ^ corpus.labels.checksum();
  };
  std::vector<train::PreparedPart> parts = {
      {"the vocabulary", dataset_.tokenizer->checksum()},
      {"the list of labels", train::checksum_of(dataset_.labels)},
      {"the training part", part(dataset_.train)},
      {"the validation part", part(dataset_.validation)},
      {"the test part", part(dataset_.test)},
      {"the unlabelled part", part(dataset_.unlabelled)}};
  if (recipe_.model.pretrained) {
    parts.push_back({"the pre-trained encoder", encoder_});
  }
  if (teacher_) parts.push_back({"the teacher", teacher_->checksum()});
  if (start_) parts.insert(parts.begin(), start_->model.prepared());
  return parts;
}

std::vector<std::string> ClassifierTask::initialize() {
  auto notices = dataset_.notices;
  for (auto& notice :
       train::load_word_vectors(recipe_.train.word_vectors, *dataset_.tokenizer, parameters())) {
    notices.push_back(std::move(notice));
  }
  if (dataset_.several_labels) {
    const at::NoGradGuard no_gradient;
    parameters().at("classifier.bias").copy_(prior_logits(class_counts(), labelled_documents()));
  }
  // Last, so that the initial values above are left to new words and labels.
  if (start_) {
    for (auto& notice : start_->model.copy_to(model_.parameters())) {
      notices.push_back(std::move(notice));
    }
  }
  return notices;
}

ClassifierTask::Batch ClassifierTask::gather(std::span<const std::int64_t> rows) const {
  Batch batch;
  for (auto row : rows) {
    auto part = parts_.begin();
    for (; row >= (*part)->size(); ++part) row -= (*part)->size();
    batch.texts.add((*part)->texts.tokens(row));
    batch.labels.add((*part)->labels.tokens(row));
    batch.documents.emplace_back(*part, row);
  }
  return batch;
}

std::int64_t ClassifierTask::begin_epoch(std::int64_t epoch, std::int64_t first_batch) {
  // Before the steps, whose time is measured.
  for (const auto* part : parts_) {
    if (part->size() == 0) continue;
    const std::array first = {DocumentOfPart(part, 0)};
    frozen_.rows(first);
    if (teacher_) teacher_->logits(first);
  }
  auto rows = plan_->epoch(epoch);
  const auto count = std::ssize(rows);
  batches_.begin([this, rows = std::move(rows)](
                     std::int64_t i) { return gather(rows[static_cast<std::size_t>(i)]); },
                 first_batch, count);
  return count;
}

void ClassifierTask::next_batch() {
  if (!refitting_) {  // the network is about to change
    chosen_.reset();
    fitted_.reset();
  }
  batches_.next();
}

double ClassifierTask::backward(std::int64_t batches) const {
  if (recipe_.loss.adversarial == 0) return train::Task::backward(batches);
  return adversarial_backward(model_, batches_->texts, recipe_.loss.adversarial,
                              [&](const at::Tensor& logits) { return loss_of(logits) / batches; });
}

// With a teacher (1 - w) / B times the sum of the loss over the documents with labels, and w times
// teacher_loss() of all.
at::Tensor ClassifierTask::loss_of(const at::Tensor& logits) const {
  const auto& [texts, labels, documents] = *batches_;
  if (!teacher_) return loss_(logits, labels);
  const auto& [teachers, weight, temperature] = recipe_.distillation;
  const auto taught = weight * teacher_loss(logits, teacher_->logits(documents), temperature,
                                            dataset_.several_labels);
  std::vector<std::int64_t> rows;
  data::TokenBatch own;
  for (std::int64_t b = 0; b < texts.size(); ++b) {
    if (documents[static_cast<std::size_t>(b)].first == &dataset_.unlabelled) continue;
    rows.push_back(b);
    own.add(labels.sequence(b));
  }
  if (rows.empty() || weight == 1) return taught;
  const double share = static_cast<double>(rows.size()) / static_cast<double>(texts.size());
  const auto labelled = logits.index_select(0, at::tensor(rows, at::kLong));
  return taught + (1 - weight) * share * loss_(labelled, own);
}

void ClassifierTask::begin_refit() {
  fitted();
  refitting_ = true;
  batches_.stop();
  learn_from({&dataset_.train, &dataset_.validation, &dataset_.unlabelled});
  const auto seed = static_cast<std::uint64_t>(recipe_.train.seed);
  nn::assign(model_.parameters(), new_model(seed).parameters(), "a new model");
  if (start_) start_->model.copy_to(model_.parameters());
}

double ClassifierTask::chance_loss() const {
  return dataset_.several_labels ? train::Task::chance_loss()
                                 : std::log(static_cast<double>(dataset_.labels.size()));
}

metrics::Scores ClassifierTask::validate() const {
  if (dataset_.validation.size() == 0) return {};
  if (dataset_.several_labels) {
    const std::vector<double> even(dataset_.labels.size(), 0.5);
    return evaluate_label_sets(dataset_.validation, nullptr, even).scores();
  }
  return evaluate(dataset_.validation, nullptr).scores();
}

metrics::Scores ClassifierTask::validate_model() const {
  if (dataset_.validation.size() == 0) return {};
  const auto& [linear, thresholds] = chosen();
  const auto* part = linear ? &*linear : nullptr;
  return dataset_.several_labels
             ? evaluate_label_sets(dataset_.validation, part, thresholds).scores()
             : evaluate(dataset_.validation, part).scores();
}

train::TestReport ClassifierTask::test(const std::filesystem::path& folder) const {
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

void ClassifierTask::save_model(const std::filesystem::path& directory,
                                const std::string& card) const {
  save_classifier(directory,
                  {dataset_.labels, recipe_.data.max_tokens, recipe_.data, *dataset_.tokenizer,
                   model_, fitted().linear, fitted().thresholds},
                  card);
}

ClassifierContent ClassifierTask::take_content() && {
  auto model = std::make_unique<ClassifierModel>(new_model(/*seed=*/0));
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

// What the model has beside the present network; kept until the network changes, or a second
// training begins. Validation has chosen all settings of the linear members; more texts make them
// better.
const ClassifierTask::Fitted& ClassifierTask::fitted() const {
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
const ClassifierTask::Fitted& ClassifierTask::chosen() const {
  if (chosen_) return *chosen_;
  auto& result = chosen_.emplace(Fitted{dataset_.linear, {}});
  if (dataset_.several_labels) result.thresholds.assign(dataset_.labels.size(), 0.5);
  const auto& validation = dataset_.validation;
  const bool chooses = result.linear || dataset_.several_labels;
  if (!chooses || validation.size() == 0) return result;
  const auto* linear = result.linear ? result.linear->model.get() : nullptr;
  const auto scores = scores_of(validation, scored(), linear);
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

LabelSetEvaluation ClassifierTask::evaluate_label_sets(
    const LabelledCorpus& documents, const linear::LinearPart* linear,
    const std::vector<double>& thresholds) const {
  LabelSetEvaluator evaluator(scored(), linear, thresholds);
  evaluator.add(documents);
  return evaluator.result();
}

train::TestReport ClassifierTask::test_label_sets(const std::filesystem::path& folder,
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

Evaluation ClassifierTask::evaluate(const LabelledCorpus& documents,
                                    const linear::LinearPart* linear) const {
  Evaluator evaluator(scored(), linear);
  evaluator.add(documents);
  return evaluator.result();
}

}  // namespace fastformer::classification

#include "fastformer/train/trainer.h"

#include <ATen/Context.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "fastformer/base/format.h"
#include "fastformer/base/random.h"
#include "fastformer/data/word_vectors.h"
#include "fastformer/tasks/evaluation.h"
#include "fastformer/train/gradient.h"
#include "fastformer/train/schedule.h"

namespace fastformer::train {
namespace {

std::vector<std::int64_t> class_counts(const data::TokenSet& set, std::size_t classes) {
  std::vector<std::int64_t> counts(classes);
  for (std::int64_t row = 0; row < set.size(); ++row) ++counts.at(set.label(row));
  return counts;
}

std::int64_t steps_for(std::size_t batches, std::int64_t accumulation) {
  return (static_cast<std::int64_t>(batches) + accumulation - 1) / accumulation;
}

double metric_of(const std::string& name, const tasks::Evaluation& evaluation) {
  if (name == "loss") return -evaluation.loss;
  return name == "accuracy" ? evaluation.confusion.accuracy() : evaluation.confusion.macro_f1();
}

}  // namespace

Trainer::Trainer(const Recipe& recipe, const data::Dataset& dataset, CheckpointFolder& checkpoints,
                 std::vector<Observer*> observers, bool resume)
    : recipe_(recipe),
      dataset_(dataset),
      checkpoints_(checkpoints),
      observers_(std::move(observers)),
      model_(recipe.model, dataset.tokenizer->vocabulary_size(),
             static_cast<std::int64_t>(dataset.labels.size()),
             static_cast<std::uint64_t>(recipe.train.seed)),
      loss_(recipe.train.loss, class_counts(dataset.train, dataset.labels.size())),
      adam_(model_.parameters(), recipe.train.adam(), model_.row_sparse_parameters()),
      total_steps_(count_steps()) {
  if (dataset.train.size() == 0) throw std::invalid_argument("there is no training document");
  const bool continues = resume && load_checkpoint();
  if (!continues && !recipe.train.word_vectors.empty()) load_word_vectors();
}

void Trainer::notify(const std::string& notice) const {
  for (auto* observer : observers_) observer->on_notice(notice);
}

bool Trainer::load_checkpoint() {
  const auto checkpoint =
      checkpoints_.load_newest([&](const std::string& notice) { notify(notice); });
  if (!checkpoint) return false;
  nn::assign(model_.parameters(), checkpoint->weights, "the checkpoint");
  adam_.load_state(checkpoint->optimizer);
  state_ = checkpoint->state;
  return true;
}

void Trainer::load_word_vectors() {
  const auto& path = recipe_.train.word_vectors;
  const auto& table = model_.parameters().at("embedding.token.weight");
  const auto vectors = data::read_word_vectors(path, *dataset_.tokenizer, table.size(1));
  const auto rows = static_cast<std::int64_t>(vectors.ids.size());
  const at::NoGradGuard no_gradient;
  table.index_copy_(0, at::tensor(vectors.ids, at::kLong),
                    at::tensor(vectors.values, at::kFloat).view({rows, table.size(1)}));
  notify(base::format("word vectors: %s has %lld of %lld tokens (%.1f %%)", path.c_str(),
                      static_cast<long long>(rows), static_cast<long long>(table.size(0)),
                      100 * vectors.coverage(table.size(0))));
}

Trainer::Plan Trainer::plan(std::int64_t epoch) const {
  return data::plan_epoch(dataset_.train, recipe_.train.batch,
                          static_cast<std::uint64_t>(recipe_.train.seed), epoch);
}

// Batches by tokens differ in number from epoch to epoch, so all epochs are planned once.
std::int64_t Trainer::count_steps() const {
  const auto& config = recipe_.train;
  std::int64_t steps = 0;
  if (config.batch.batch_by == "examples") {
    steps = config.epochs * steps_for(plan(0).size(), config.accumulation);
  } else {
    for (std::int64_t epoch = 0; epoch < config.epochs; ++epoch) {
      steps += steps_for(plan(epoch).size(), config.accumulation);
    }
  }
  return config.max_steps > 0 ? std::min(steps, config.max_steps) : steps;
}

bool Trainer::finished() const {
  const auto patience = recipe_.train.patience;
  return state_.step >= total_steps_ || (patience > 0 && state_.stale >= patience);
}

bool Trainer::run(const StopSignal& stop) {
  while (!finished()) {
    if (!run_epoch(stop)) return false;
  }
  if (state_.best_step >= 0) {
    nn::assign(model_.parameters(), checkpoints_.load_best(state_.best_step), "the best model");
  } else {
    adam_.bring_up_to_date_all();
  }
  return true;
}

bool Trainer::run_epoch(const StopSignal& stop) {
  auto batches = plan(state_.epoch);
  const auto count = static_cast<std::int64_t>(batches.size());
  data::BatchLoader loader(dataset_.train, std::move(batches), state_.batch);
  while (state_.batch < count && !finished()) {
    const auto taken = std::min(recipe_.train.accumulation, count - state_.batch);
    const auto started = std::chrono::steady_clock::now();
    step(loader, taken);
    state_.seconds +=
        std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    state_.batch += taken;
    const bool end_of_epoch = state_.batch == count;
    if (end_of_epoch) {
      ++state_.epoch;
      state_.batch = 0;
    }
    after_step(end_of_epoch);
    if (stop.requested() && !finished()) {
      save_checkpoint();
      return false;
    }
    if (end_of_epoch) break;
  }
  return true;
}

double Trainer::learning_rate() const {
  const auto& config = recipe_.train;
  const auto warmup = static_cast<std::int64_t>(
      std::llround(config.warmup_fraction * static_cast<double>(total_steps_)));
  return config.learning_rate * schedule_factor(config.schedule, state_.step, total_steps_, warmup);
}

void Trainer::step(data::BatchLoader& loader, std::int64_t batches) {
  for (const auto& [name, weight] : model_.parameters()) weight.mutable_grad().reset();
  StepReport report{.step = state_.step + 1,
                    .total_steps = total_steps_,
                    .epoch = state_.epoch + 1,
                    .epochs = recipe_.train.epochs,
                    .loss = 0,
                    .learning_rate = learning_rate(),
                    .gradient_norm = 0,
                    .tokens = 0};
  for (std::int64_t i = 0; i < batches; ++i) {
    const auto batch = loader.next();
    report.loss += accumulate(*batch, i, batches);
    report.tokens += batch->tokens();
  }
  check_finite(report.loss, report.learning_rate);
  std::map<std::string, Gradient> gradients;
  for (const auto& [name, weight] : model_.parameters()) gradients[name] = gradient_of(weight);
  if (recipe_.train.clip_norm > 0) {
    report.gradient_norm = clip_gradients(gradients, recipe_.train.clip_norm);
    check_finite(report.gradient_norm, report.learning_rate);
  }
  adam_.step(gradients, report.learning_rate);
  ++state_.step;
  for (auto* observer : observers_) observer->on_step(report);
}

double Trainer::accumulate(const data::RaggedBatch& batch, std::int64_t index,
                           std::int64_t batches) {
  for (const auto& [name, rows] : model_.touched_rows(batch)) adam_.bring_up_to_date(name, rows);
  const auto place =
      base::mix64(static_cast<std::uint64_t>(state_.step * recipe_.train.accumulation + index));
  at::manual_seed(base::mix64(static_cast<std::uint64_t>(recipe_.train.seed) ^ place));
  const auto loss = loss_.forward(model_.forward(batch, /*training=*/true), batch.labels) / batches;
  loss.backward();
  return loss.item<double>();
}

void Trainer::check_finite(double loss, double learning_rate) const {
  if (std::isfinite(loss)) return;
  const auto last = checkpoints_.newest();
  throw std::runtime_error("the loss or its gradient is no longer a number at step " +
                           std::to_string(state_.step + 1) + " with learning rate " +
                           std::to_string(learning_rate) + "; the last good checkpoint is " +
                           (last.empty() ? "none" : last.string()) +
                           "; lower train.learning_rate or set train.clip_norm = 1");
}

void Trainer::after_step(bool end_of_epoch) {
  const auto& config = recipe_.train;
  const bool last = state_.step == total_steps_;
  const bool due =
      config.evaluate_every > 0 ? state_.step % config.evaluate_every == 0 : end_of_epoch;
  const bool evaluates = last || due;
  if (evaluates && dataset_.validation.size() > 0) evaluate();
  const bool saves =
      config.checkpoint_every > 0 ? state_.step % config.checkpoint_every == 0 || last : evaluates;
  if (saves) save_checkpoint();
}

void Trainer::evaluate() {
  adam_.bring_up_to_date_all();
  const auto evaluation = tasks::evaluate(model_, dataset_.validation);
  const double metric = metric_of(recipe_.train.metric, evaluation);
  const bool best = state_.best_step < 0 || metric > state_.best_metric;
  if (best) {
    checkpoints_.save_best(state_.step, model_.parameters());
    state_.best_step = state_.step;
    state_.best_metric = metric;
    state_.stale = 0;
  } else {
    ++state_.stale;
  }
  const EvaluationReport report{.step = state_.step,
                                .epoch = state_.epoch,
                                .loss = evaluation.loss,
                                .accuracy = evaluation.confusion.accuracy(),
                                .macro_f1 = evaluation.confusion.macro_f1(),
                                .best = best};
  for (auto* observer : observers_) observer->on_evaluation(report);
}

void Trainer::save_checkpoint() { checkpoints_.save({state_, model_.parameters(), adam_.state()}); }

}  // namespace fastformer::train

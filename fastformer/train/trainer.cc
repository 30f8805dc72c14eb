#include "fastformer/train/trainer.h"

#include <ATen/Context.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <stdexcept>
#include <utility>

#include "fastformer/base/format.h"
#include "fastformer/base/out_of_memory.h"
#include "fastformer/base/random.h"
#include "fastformer/train/optimizer/gradient.h"
#include "fastformer/train/optimizer/schedule.h"

namespace fastformer::train {
namespace {

// Larger is better.
double metric_of(const std::string& name, const metrics::Scores& scores) {
  const double value = metrics::score_of(scores, name);
  return metrics::is_share(name) ? value : -value;
}

constexpr std::int64_t kFewestEpochs = 3, kMostEpochs = 100, kFewestSteps = 1000;

std::int64_t steps_of(const TrainConfig& config, const Task& task, std::int64_t epoch) {
  return (task.batches(epoch) + config.accumulation - 1) / config.accumulation;
}

// With the number of epochs that 0 stands for.
TrainConfig with_epochs(TrainConfig config, const Task& task) {
  if (config.epochs > 0) return config;
  const auto steps = std::max<std::int64_t>(steps_of(config, task, 0), 1);
  config.epochs = std::clamp((kFewestSteps + steps - 1) / steps, kFewestEpochs, kMostEpochs);
  return config;
}

Adam optimizer_of(const TrainConfig& config, const Task& task) {
  std::map<std::string, double> factors;
  for (const auto& [name, weight] : task.parameters()) {
    factors[name] = task.learning_rate_factor(name);
  }
  return {task.parameters(), config.adam(), task.row_sparse_parameters(), factors};
}

}  // namespace

Trainer::Trainer(const TrainConfig& config, Task& task, Options options)
    : config_(with_epochs(config, task)),
      task_(task),
      checkpoints_(options.checkpoints),
      observers_(std::move(options.observers)),
      adam_(optimizer_of(config, task)),
      total_steps_(count_steps()) {
  if (options.resume && load_checkpoint()) return;
  for (const auto& notice : task_.initialize()) notify(notice);
}

void Trainer::notify(const std::string& notice) const {
  for (auto* observer : observers_) observer->on_notice(notice);
}

bool Trainer::load_checkpoint() {
  if (checkpoints_ == nullptr) return false;
  const auto checkpoint =
      checkpoints_->load_newest([&](const std::string& notice) { notify(notice); });
  if (!checkpoint) {
    if (!checkpoints_->newest().empty()) {
      notify("all checkpoints are damaged; the run starts from the beginning");
      checkpoints_->clear();
    }
    return false;
  }
  state_ = checkpoint->state;
  if (state_.refitting()) begin_refit();
  nn::assign(task_.parameters(), checkpoint->weights, "the checkpoint");
  adam_.load_state(checkpoint->optimizer);
  return true;
}

// Epochs may differ in their number of batches.
std::int64_t Trainer::count_steps() const {
  std::int64_t steps = 0;
  for (std::int64_t epoch = 0; epoch < config_.epochs; ++epoch) {
    steps += steps_of(config_, task_, epoch);
  }
  return config_.max_steps > 0 ? std::min(steps, config_.max_steps) : steps;
}

// The share of max_minutes. A second training takes about as long as the first one, which leaves it
// half of the time.
double Trainer::time_used() const {
  if (config_.max_minutes == 0 || state_.refitting()) return 0;
  const double minutes = config_.max_minutes * (task_.refits() ? 0.5 : 1.0);
  return state_.seconds / 60 / minutes;
}

bool Trainer::out_of_time() const { return time_used() >= 1; }

std::int64_t Trainer::total_steps() const {
  const double used = time_used();
  if (used == 0) return total_steps_;
  if (used >= 1) return state_.step;
  const double by_time = std::ceil(static_cast<double>(state_.step) / used);
  return by_time < static_cast<double>(total_steps_)
             ? std::max(static_cast<std::int64_t>(by_time), state_.step + 1)
             : total_steps_;
}

bool Trainer::finished() const {
  const auto patience = state_.refitting() ? 0 : config_.patience;
  return state_.step >= total_steps_ || out_of_time() || (patience > 0 && state_.stale >= patience);
}

nn::ParameterMap Trainer::best_weights() const {
  return checkpoints_ != nullptr ? checkpoints_->load_best(state_.best_step) : kept_weights_;
}

bool Trainer::run(const std::function<bool()>& stop) {
  if (!train(stop)) return false;
  if (!state_.refitting()) warn_of_chance();
  if (state_.refitting() || state_.best_step < 0) {
    adam_.bring_up_to_date_all();
    return true;
  }
  use_best();
  if (!task_.refits()) return true;
  return !(stop && stop()) && refit(stop);
}

void Trainer::warn_of_chance() const {
  constexpr double kClearlyWorse = 1.2;
  const double chance = task_.chance_loss();
  const bool validated = state_.best_step >= 0;
  const double loss = validated ? least_loss_ : mean_loss_;
  if (loss <= kClearlyWorse * chance) return;
  notify(base::format(
      "the network is worse than guessing: its %s loss is %.3f, that of equal probabilities %.3f; "
      "lower train.learning_rate",
      validated ? "validation" : "training", loss, chance));
}

void Trainer::use_best() { nn::assign(task_.parameters(), best_weights(), "the best model"); }

bool Trainer::refit(const std::function<bool()>& stop) {
  if (state_.best_step < 0) return true;
  state_.refit_from = state_.step;
  state_.epoch = state_.batch = 0;
  begin_refit();
  task_.initialize();  // its notices have been given
  notify("the model is trained again on the training and the validation part, for " +
         std::to_string(state_.best_step) + " steps");
  if (!train(stop)) return false;
  adam_.bring_up_to_date_all();
  return true;
}

// The same for a resumed run, whose weights and optimizer are replaced afterwards.
void Trainer::begin_refit() {
  use_best();
  task_.begin_refit();
  adam_ = optimizer_of(config_, task_);
  total_steps_ = state_.refit_from + state_.best_step;
}

bool Trainer::train(const std::function<bool()>& stop) {
  while (!finished()) {
    if (!run_epoch(stop)) return false;
  }
  return true;
}

bool Trainer::run_epoch(const std::function<bool()>& stop) {
  const auto count = task_.begin_epoch(state_.epoch, state_.batch);
  while (state_.batch < count && !finished()) {
    const auto taken = std::min(config_.accumulation, count - state_.batch);
    base::naming_memory(
        [&] { return "step " + std::to_string(state_.step + 1) + " of the training"; },
        [&] { step(taken); });
    state_.batch += taken;
    const bool end_of_epoch = state_.batch == count;
    if (end_of_epoch) {
      ++state_.epoch;
      state_.batch = 0;
    }
    after_step(end_of_epoch);
    if (stop && stop() && !finished()) {
      save_checkpoint();
      return false;
    }
    if (end_of_epoch) break;
  }
  return true;
}

double Trainer::learning_rate() const {
  // The second training has a whole schedule, though the best evaluation may be before the end of
  // the first one.
  const auto first = state_.refitting() ? state_.refit_from : 0;
  const auto steps = total_steps_ - first;
  const auto warmup =
      static_cast<std::int64_t>(std::llround(config_.warmup_fraction * static_cast<double>(steps)));
  const auto by_time = static_cast<std::int64_t>(time_used() * static_cast<double>(steps));
  const auto place = std::max(state_.step - first, std::min(by_time, steps - 1));
  return config_.learning_rate * schedule_factor(config_.schedule, place, steps, warmup);
}

void Trainer::step(std::int64_t batches) {
  const auto started = std::chrono::steady_clock::now();
  for (const auto& [name, weight] : task_.parameters()) weight.mutable_grad().reset();
  StepReport report{.step = state_.step + 1,
                    .total_steps = 0,
                    .epoch = state_.epoch + 1,
                    .epochs = config_.epochs,
                    .loss = 0,
                    .learning_rate = learning_rate(),
                    .gradient_norm = 0,
                    .tokens = 0};
  for (std::int64_t i = 0; i < batches; ++i) {
    task_.next_batch();
    report.loss += accumulate(i, batches);
    report.tokens += task_.tokens();
  }
  check_finite(report.loss, report.learning_rate);
  mean_loss_ = mean_loss_ == 0 ? report.loss : std::lerp(mean_loss_, report.loss, 0.1);
  std::map<std::string, Gradient> gradients;
  for (const auto& [name, weight] : task_.parameters()) gradients[name] = gradient_of(weight);
  if (config_.clip_norm > 0) {
    report.gradient_norm = clip_gradients(gradients, config_.clip_norm);
    check_finite(report.gradient_norm, report.learning_rate);
  }
  adam_.step(gradients, report.learning_rate);
  ++state_.step;
  state_.seconds +=
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  report.total_steps = total_steps();
  for (auto* observer : observers_) observer->on_step(report);
}

double Trainer::accumulate(std::int64_t index, std::int64_t batches) {
  for (const auto& [name, rows] : task_.touched_rows()) adam_.bring_up_to_date(name, rows);
  const auto place =
      base::mix64(static_cast<std::uint64_t>(state_.step * config_.accumulation + index));
  at::manual_seed(base::mix64(static_cast<std::uint64_t>(config_.seed) ^ place));
  return task_.backward(batches);
}

void Trainer::check_finite(double loss, double learning_rate) const {
  if (std::isfinite(loss)) return;
  const auto last = checkpoints_ != nullptr ? checkpoints_->newest() : std::filesystem::path();
  throw std::runtime_error("the loss or its gradient is not finite at step " +
                           std::to_string(state_.step + 1) + " with the learning rate " +
                           std::to_string(learning_rate) +
                           (last.empty() ? "; there is no checkpoint"
                                         : "; the last good checkpoint is " + last.string()) +
                           "; lower train.learning_rate or set train.clip_norm = 1");
}

void Trainer::after_step(bool end_of_epoch) {
  const bool last = state_.step == total_steps_ || out_of_time();
  const bool due =
      config_.evaluate_every > 0 ? state_.step % config_.evaluate_every == 0 : end_of_epoch;
  const bool evaluation_due = last || due;
  if (evaluation_due && !state_.refitting()) evaluate();
  const bool saves = config_.checkpoint_every > 0
                         ? state_.step % config_.checkpoint_every == 0 || last
                         : evaluation_due;
  if (saves) save_checkpoint();
}

void Trainer::evaluate() {
  adam_.bring_up_to_date_all();
  const auto scores = task_.validate();
  if (scores.empty()) return;
  const double metric = metric_of(config_.metric, scores);
  const double loss = metrics::score_of(scores, "loss");
  least_loss_ = std::min(least_loss_, loss);
  const bool best = state_.best_step < 0 || metric > state_.best_metric ||
                    (metric == state_.best_metric && loss < state_.best_loss);
  if (best) {
    if (checkpoints_ != nullptr) {
      checkpoints_->save_best(state_.step, task_.parameters());
    } else {
      kept_weights_ = nn::clone(task_.parameters());
    }
    state_.best_step = state_.step;
    state_.best_metric = metric;
    state_.best_loss = loss;
    state_.stale = 0;
  } else {
    ++state_.stale;
  }
  for (auto* observer : observers_) {
    observer->on_validation(
        {.step = state_.step, .epoch = state_.epoch, .scores = scores, .best = best});
  }
}

void Trainer::save_checkpoint() {
  if (checkpoints_ == nullptr) return;
  checkpoints_->save({state_, task_.parameters(), adam_.state()});
}

}  // namespace fastformer::train

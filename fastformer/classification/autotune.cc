#include "fastformer/classification/autotune.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/config_value.h"
#include "fastformer/base/format.h"
#include "fastformer/classification/quantization.h"
#include "fastformer/classification/task_kind.h"
#include "fastformer/classification/training.h"
#include "fastformer/kernels/parallel.h"
#include "fastformer/metrics/scores.h"
#include "fastformer/train/run_directory.h"
#include "fastformer/train/task.h"
#include "fastformer/train/trainer.h"

namespace fastformer::classification {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using Assignments = std::vector<std::string>;

// The recipe of recipes/ag_news.toml, but for the data and the number of steps.
const Assignments kBase = {
    "model.preset=authors_code",
    "model.layers=1",
    "model.width=64",
    "model.heads=4",
    "model.ffn_width=128",
    "model.max_positions=0",
    "model.bigram_buckets=262144",
    "model.embedding_normalization=false",
    "model.embedding_deviation=0.05",
    "model.bigram_deviation=0.0",
    "model.initial_deviation=0.07",
    "model.dropout=0.2",
    "model.embedding_dropout=0.5",
    "model.bigram_dropout=0.3",
    "model.token_dropout=0.2",
    "text.minimum_count=2",
    "text.strip_markup=true",
    "train.epochs=100000",
    "train.batch_size=32",
    "train.learning_rate=2e-3",
    "train.beta2=0.99",
    "train.warmup_fraction=0.05",
    "train.label_smoothing=0.1",
    "train.refit=true",
};

struct Candidate {
  std::string name;
  Assignments assignments;
};

// The choices that matter most first: with little time the last ones are not tried.
const std::vector<Candidate> kCandidates = {
    {"base", {}},
    {"less_dropout",
     {"model.dropout=0.1", "model.embedding_dropout=0.3", "model.token_dropout=0.1",
      "train.label_smoothing=0.05"}},
    {"slow", {"train.learning_rate=1e-3"}},
    {"more_pairs", {"model.bigram_buckets=1048576", "train.learning_rate=1e-3"}},
    {"wide", {"model.width=128", "model.heads=8", "model.ffn_width=256"}},
    {"large_batches", {"train.batch_size=64", "train.learning_rate=3e-3"}},
    {"two_layers", {"model.layers=2"}},
    {"more_dropout", {"model.embedding_dropout=0.6", "model.token_dropout=0.3"}},
};

// What the best candidate is tried with at the end: it takes two passes per step, and pays only in
// a complete training.
constexpr const char* kAdversarial = "train.adversarial=0.05";

constexpr std::array kShares = {0.25, 0.5};  // of the steps, in each round but the last
constexpr double kAdversarialFactor = 2.2;   // of the time per step
constexpr std::int64_t kLeastSteps = 1000, kMostSteps = 8000;
constexpr std::int64_t kEpochs = 4;
// Fewer training texts have a larger validation part, which would be too small to judge by.
constexpr std::int64_t kFewTexts = 5000;
// Seconds of preparing data that are kept for the linear members, per megabyte: with less time
// their settings are not searched.
constexpr double kSecondsPerMegabyte = 6;

// Seconds that are kept to fit the linear members again and to write the model, for each megabyte.
constexpr double kSavingPerMegabyte = 1;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

std::uintmax_t bytes_of(const Recipe& recipe) {
  std::uintmax_t bytes = 0;
  for (const auto& source : recipe.sources()) {
    if (!source.field.starts_with("data.") || source.field == "data.unlabelled") continue;
    std::error_code ignored;
    if (fs::is_directory(source.path, ignored)) {
      for (const auto& entry : fs::recursive_directory_iterator(source.path, ignored)) {
        if (entry.is_regular_file(ignored)) bytes += entry.file_size(ignored);
      }
    } else if (fs::is_regular_file(source.path, ignored)) {
      bytes += fs::file_size(source.path, ignored);
    }
  }
  return bytes;
}

class Search {
 public:
  Search(const DataConfig& data, fs::path folder, const AutotuneOptions& options)
      : data_(data), folder_(std::move(folder)), options_(options), begin_(Clock::now()) {}

  Tuned run() {
    prepare();
    auto candidates = kCandidates;
    for (const double share : kShares) {
      const auto steps =
          std::max<std::int64_t>(static_cast<std::int64_t>(share * static_cast<double>(steps_)), 1);
      std::vector<std::pair<double, Candidate>> order;
      for (const auto& candidate : candidates) {
        if (!has_time_for(candidate, steps)) break;
        const auto loss = train(candidate, steps);
        if (!loss) return finish();
        order.emplace_back(*loss, candidate);
      }
      if (order.empty()) break;  // a complete training of the best may still fit
      std::stable_sort(order.begin(), order.end(),
                       [](const auto& a, const auto& b) { return a.first < b.first; });
      order.resize((order.size() + 1) / 2);
      candidates.clear();
      for (auto& [loss, candidate] : order) candidates.push_back(std::move(candidate));
    }
    train_completely(candidates.front());
    return finish();
  }

 private:
  Recipe recipe_of(const Assignments& assignments, std::int64_t steps) const {
    base::ConfigTree tree;
    tree.write_section("data", data_);
    for (const auto* list : {&kBase, &defaults_, &assignments, &options_.assignments}) {
      for (const auto& assignment : *list) tree.set(assignment);
    }
    tree.set("train.max_steps=" + std::to_string(steps));
    return Recipe::read(tree);
  }

  std::unique_ptr<train::Task> open(const Recipe& recipe) const {
    const kernels::ComputeScope scope(recipe.train.precision, recipe.train.threads);
    return recipe.open(folder_ / "cache", options_.notice);
  }

  void prepare() {
    for (const auto& assignment : options_.assignments) {
      if (!assignment.starts_with("model.pretrained")) continue;
      throw std::invalid_argument(
          "autotune searches the settings of models with an embedding of their own; remove "
          "model.pretrained, and give a trained model as train.teacher");
    }
    const double megabytes = static_cast<double>(bytes_of(recipe_of({}, 1))) / 1e6;
    saving_ = 2 + megabytes * kSavingPerMegabyte;
    if (options_.seconds < megabytes * kSecondsPerMegabyte) {
      defaults_ = {"linear.words=2", "linear.characters=0", "linear.c=1"};
      if (options_.notice) {
        options_.notice(
            "the time does not suffice to choose the n-grams of the linear members; they are words "
            "and pairs of words");
      }
    }
    const auto first = recipe_of({}, 1);
    if (first.train.max_minutes > 0) {
      throw std::invalid_argument(
          "train.max_minutes is a limit for one training; remove it, and limit the search by its "
          "time");
    }
    if (options_.most_bytes > 0 && first.data.test_fraction > 0) {
      throw std::invalid_argument(
          "a limited size needs test files, since the quantized model is measured on them; replace "
          "data.test_fraction by data.test");
    }
    auto counted = first;  // without the texts that have no labels
    counted.data.unlabelled.clear();
    counted.distillation = {};
    auto task = open(counted);
    const bool few =
        task->batches(0) * first.batch.batch_size < kFewTexts && first.data.validation.empty();
    if (few) defaults_.emplace_back("data.validation_fraction=0.2");
    if (few || first.distillation) task = open(recipe_of({}, 1));
    if (first.distillation) task->begin_epoch(0, 0);  // the teacher reads the texts
    if (task->validate().empty()) {
      throw std::invalid_argument(
          "there is no validation part to choose by; set data.validation or "
          "data.validation_fraction");
    }
    steps_ = std::clamp(kEpochs * task->batches(0), kLeastSteps, kMostSteps);
  }

  // The last round: the best candidate, and the same with adversarial training.
  void train_completely(const Candidate& best) {
    if (!has_time(seconds_for(best.name, steps_)) || !train(best, steps_)) return;
    if (is_adversarial_set()) return;
    auto other = best;
    other.name += "+adversarial";
    other.assignments.emplace_back(kAdversarial);
    seconds_per_step_[other.name] = kAdversarialFactor * seconds_per_step_.at(best.name);
    // And for the second training, of either.
    if (!has_time(2 * seconds_for(other.name, steps_))) return;
    keeping_best("the adversarial training", [&] { train(other, steps_); });
  }

  bool is_adversarial_set() const {
    return std::ranges::any_of(options_.assignments, [](const auto& assignment) {
      return assignment.starts_with("train.adversarial=");
    });
  }

  // A training that fails must not lose what was found before.
  template <class Training>
  void keeping_best(const std::string& name, const Training& training) {
    try {
      training();
    } catch (const std::exception& error) {
      if (options_.notice) {
        options_.notice(name + " has failed: " + error.what() + "; the best model so far is kept");
      }
    }
  }

  // As measured, or as the first candidate takes.
  double seconds_for(const std::string& candidate, std::int64_t steps) const {
    const auto found = seconds_per_step_.find(candidate);
    const double seconds = found == seconds_per_step_.end()
                               ? seconds_per_step_.at(kCandidates.front().name)
                               : found->second;
    return seconds * static_cast<double>(steps);
  }

  bool stopped() const { return options_.stop && options_.stop(); }

  bool has_time(double seconds) const {
    return !stopped() && options_.seconds - seconds_since(begin_) - saving_ > seconds;
  }

  // Whether a trial fits, and after it a complete training of the best candidate and another one on
  // all texts. Adversarial training gets what time is left.
  bool has_time_for(const Candidate& candidate, std::int64_t steps) const {
    if (trials_.empty()) return true;
    const double complete = seconds_for(trials_[best_trial_].candidate, steps_);
    return has_time(seconds_for(candidate.name, steps) + 2 * complete);
  }

  // What is minimized; nullopt if the search was stopped.
  std::optional<double> train(const Candidate& candidate, std::int64_t steps) {
    const auto start = Clock::now();
    auto recipe = recipe_of(candidate.assignments, steps);
    refits_ = std::exchange(recipe.refit, false);  // the best candidate alone
    auto task = open(recipe);
    const kernels::ComputeScope scope(recipe.train.precision, recipe.train.threads);
    auto trainer = std::make_unique<train::Trainer>(recipe.train, *task, train::Trainer::Options{});
    if (!trainer->run(options_.stop) && !trials_.empty()) return std::nullopt;
    const auto scores = task->validate_model();
    const auto& metric = recipe.train.metric;
    Trial trial{.candidate = candidate.name,
                .assignments = candidate.assignments,
                .steps = trainer->state().step,
                .seconds = seconds_since(start),
                .score = metrics::score_of(scores, metric),
                .loss = metrics::score_of(scores, "loss")};
    seconds_per_step_[candidate.name] = trial.seconds / static_cast<double>(steps);
    trials_.push_back(trial);
    if (options_.report) options_.report(trial);
    const double judged = judgement(trial, metric);
    // A longer training is better than a shorter one that a small validation part prefers.
    const std::pair rank(-steps, judged);
    if (!best_ || rank < best_rank_) {
      best_rank_ = rank;
      best_trainer_.reset();  // before its task
      best_ = std::move(task);
      best_trainer_ = std::move(trainer);
      best_recipe_ = std::move(recipe);
      best_trial_ = trials_.size() - 1;
    }
    return judged;
  }

  // The cross-entropy varies less than the accuracy, of which it is the usual substitute.
  static double judgement(const Trial& trial, const std::string& metric) {
    const bool by_loss = metric == "accuracy" || metric == "micro_f1" || metric == "loss";
    return by_loss ? trial.loss : -trial.score;
  }

  Tuned finish() {
    const kernels::ComputeScope scope(best_recipe_.train.precision, best_recipe_.train.threads);
    const auto& best = trials_[best_trial_];
    refit();
    const auto recipe = best_recipe_.tree();
    best_->save_model(folder_ / "model",
                      "# Text classifier\n\nFound by `fastformer autotune`: the candidate " +
                          best.candidate + ".\n\n## Data\n\n```\n" + best_->summary() +
                          "```\n\n## Recipe\n\n```toml\n" + recipe.without_folders().to_toml() +
                          "```\n");
    base::write_file_atomically(folder_ / "recipe.toml", recipe.to_toml());
    std::string table = "candidate,steps,seconds,loss," + best_recipe_.train.metric + "\n";
    for (const auto& trial : trials_) {
      table +=
          base::format("%s,%lld,%.1f,%.6f,%.6f\n", trial.candidate.c_str(),
                       static_cast<long long>(trial.steps), trial.seconds, trial.loss, trial.score);
    }
    base::write_file_atomically(folder_ / "leaderboard.csv", table);
    return {.best = best,
            .trials = trials_,
            .table = shrink() ? test_saved_model() : best_->test(folder_).table};
  }

  // Replaces the saved model by a quantized one if it is too large.
  bool shrink() const {
    const auto model = folder_ / "model";
    if (options_.most_bytes == 0 || parameter_bytes(model) <= options_.most_bytes) return false;
    QuantizationReport report;
    try {
      report = quantize(model, model, {.most_bytes = options_.most_bytes});
    } catch (const std::invalid_argument& error) {
      throw std::invalid_argument(std::string(error.what()) + "; " + model.string() +
                                  " is the model without the limit");
    }
    if (options_.notice) {
      options_.notice(
          base::format("the model is quantized: its parameters have %ld bytes, before %ld",
                       report.bytes_after, report.bytes_before));
    }
    return true;
  }

  // The table of its scores on the test files; the task knows only the model before quantization.
  std::string test_saved_model() const {
    const auto& data = best_recipe_.data;
    if (data.test.empty()) return "";
    train::EvaluationRequest request{.model = folder_ / "model", .data = data.test};
    if (!data.test_text_columns.empty()) {
      request.set = {"data.text_columns=" + base::toml_text({data.test_text_columns, {}})};
    }
    const auto report = task_kind().evaluate(request, [&](const std::string& sentence) {
      if (options_.notice) options_.notice(sentence);
    });
    base::write_file_atomically(folder_ / "test.json", report.json + "\n");
    return report.table;
  }

  // Trains the best candidate again, with the validation part, if there is time.
  void refit() {
    if (!refits_) return;
    const auto steps = best_trainer_->state().best_step;
    if (!has_time(seconds_for(trials_[best_trial_].candidate, steps))) return;
    keeping_best("the training on all texts",
                 [&] { best_recipe_.refit = best_trainer_->refit(options_.stop); });
    if (!best_recipe_.refit) best_trainer_->use_best();
  }

  const DataConfig& data_;
  fs::path folder_;
  const AutotuneOptions& options_;
  Clock::time_point begin_;
  Assignments defaults_;  // chosen for the data and the time
  std::int64_t steps_ = 0;
  double saving_ = 0;                               // seconds kept for the model
  std::map<std::string, double> seconds_per_step_;  // of each candidate
  std::vector<Trial> trials_;
  std::unique_ptr<train::Task> best_;
  std::unique_ptr<train::Trainer> best_trainer_;  // of best_
  Recipe best_recipe_;
  bool refits_ = true;  // as the caller wants it
  std::size_t best_trial_ = 0;
  std::pair<std::int64_t, double> best_rank_;  // of it; smaller is better
};

}  // namespace

Tuned autotune(const DataConfig& data, const fs::path& folder, const AutotuneOptions& options) {
  base::create_folder(folder);
  const train::FolderLock lock(folder);
  for (const auto* file : {"model", train::kRecipeFile}) {
    if (!std::filesystem::exists(folder / file)) continue;
    throw std::invalid_argument(folder.string() + ": has a " + file +
                                " already; choose another output folder");
  }
  return Search(data, folder, options).run();
}

}  // namespace fastformer::classification

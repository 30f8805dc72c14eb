#include "fastformer/linear/selection.h"

#include <algorithm>
#include <array>

#include "fastformer/base/random.h"
#include "fastformer/linear/pool.h"

namespace fastformer::linear {
namespace {

constexpr std::int64_t kEnoughValidation = 1000;
constexpr std::int64_t kFewRows = 5000;
constexpr std::size_t kFolds = 5;
constexpr std::size_t kHeldOutPart = 10;
// Fits on more rows than this, divided by the classes, take long and choose the same.
constexpr std::size_t kRowsTimesClasses = 300'000;
// Of several labels per text so many are fitted, from the most frequent to the rarest.
constexpr std::size_t kJudgedLabels = 20;
constexpr double kSmallestC = 1.0 / 32, kLargestC = 32;

// Rows to fit on, and others to judge by.
struct Fold {
  std::vector<std::int64_t> train, judged;
};

// Part i of `parts` has each `parts`-th row of a class (of several labels per text: of all rows),
// in an order drawn from a fixed seed.
std::vector<std::size_t> parts_of(const LabelledRows& rows, std::size_t parts) {
  auto order = all_rows(rows.size());
  base::Random(1).shuffle(order);
  const auto& targets = rows.targets;
  std::vector<std::size_t> seen(static_cast<std::size_t>(targets.classes)), part(order.size());
  for (const auto row : order) {
    const auto label = targets.several ? 0 : static_cast<std::size_t>(targets.of(row).front());
    part[static_cast<std::size_t>(row)] = seen[label]++ % parts;
  }
  return part;
}

// The classes that are fitted, ascending.
std::vector<std::int32_t> judged_classes(const Targets& targets) {
  auto classes = all_classes(targets.classes);
  if (!targets.several || classes.size() <= kJudgedLabels) return classes;
  std::vector<std::int64_t> counts(classes.size());
  for (const auto label : targets.ids) ++counts[static_cast<std::size_t>(label)];
  std::stable_sort(classes.begin(), classes.end(), [&](auto a, auto b) {
    return counts[static_cast<std::size_t>(a)] > counts[static_cast<std::size_t>(b)];
  });
  std::vector<std::int32_t> sample;
  for (std::size_t i = 0; i < kJudgedLabels; ++i) {
    sample.push_back(classes[i * classes.size() / kJudgedLabels]);
  }
  std::sort(sample.begin(), sample.end());
  return sample;
}

class Judge {
 public:
  Judge(const LabelledRows& train, const LabelledRows& validation, const NgramTable& table)
      : train_(train), table_(table), judged_(&train), classes_(judged_classes(train.targets)) {
    divide(validation);
    const auto most = kRowsTimesClasses / classes_.size();
    for (auto& fold : folds_) {
      if (fold.train.size() <= most) continue;
      base::Random(2).shuffle(fold.train);
      fold.train.resize(most);
    }
  }

  // Cross-entropy of the calibrated scores; leaves the calibration in the second argument.
  double operator()(const MemberConfig& config, Calibration& calibration) const {
    std::vector<std::vector<double>> scores(1);
    Targets targets{.classes = std::ssize(classes_), .several = train_.targets.several};
    for (const auto& fold : folds_) {
      const auto member = fit(train_, fold.train, classes_, table_, config);
      const auto part = linear::scores(member, *judged_, fold.judged, table_);
      scores.front().insert(scores.front().end(), part.begin(), part.end());
      for (const auto row : fold.judged) targets.add(judged_labels(row));
    }
    const std::array prior = {1.0};
    const auto pool = fit_pool(scores, targets, prior);
    calibration = {.sharpness = pool.coefficients.front(), .bias = pool.bias};
    return cross_entropy(pool.logits(scores), targets);
  }

 private:
  void divide(const LabelledRows& validation) {
    if (validation.size() >= kEnoughValidation) {
      judged_ = &validation;
      folds_.push_back({all_rows(train_.size()), all_rows(validation.size())});
      return;
    }
    const bool few = train_.size() < kFewRows;
    const auto part = parts_of(train_, few ? kFolds : kHeldOutPart);
    folds_.resize(few ? kFolds : 1);
    for (std::size_t i = 0; i < part.size(); ++i) {
      for (std::size_t f = 0; f < folds_.size(); ++f) {
        (part[i] == f ? folds_[f].judged : folds_[f].train).push_back(static_cast<std::int64_t>(i));
      }
    }
  }

  // The labels of a row as positions in classes_.
  std::vector<std::int32_t> judged_labels(std::int64_t row) const {
    std::vector<std::int32_t> labels;
    for (const auto label : judged_->targets.of(row)) {
      const auto found = std::lower_bound(classes_.begin(), classes_.end(), label);
      if (found == classes_.end() || *found != label) continue;
      labels.push_back(static_cast<std::int32_t>(found - classes_.begin()));
    }
    return labels;
  }

  const LabelledRows& train_;
  const NgramTable& table_;
  const LabelledRows* judged_;
  std::vector<std::int32_t> classes_;
  std::vector<Fold> folds_;
};

}  // namespace

Choice choose(const LabelledRows& train, const LabelledRows& validation, const NgramTable& table,
              Weighting weighting, const LinearConfig& config) {
  const Judge judge(train, validation, table);
  const bool tfidf = weighting == Weighting::kTfidf;
  Choice best{{.weighting = weighting,
               .words = std::min<std::int64_t>(tfidf ? 2 : 3, config.words),
               .characters = tfidf && table.config().characters > 0,
               .c = config.c > 0 ? config.c : (tfidf ? 0.5 : 1.0)}};
  double least = judge(best.config, best.calibration);
  const auto better = [&](const MemberConfig& other) {
    Choice choice{other};
    const double value = judge(other, choice.calibration);
    if (value >= least) return false;
    least = value;
    best = choice;
    return true;
  };
  if (best.config.characters) {
    auto other = best.config;
    other.characters = false;
    better(other);
  }
  if (config.words >= 3) {
    auto other = best.config;
    other.words = tfidf ? 3 : 2;
    better(other);
  }
  if (config.c > 0) return best;
  if (NgramTable::keeps_single_texts(train.size())) {
    auto other = best.config;
    other.minimum_texts = 1;
    better(other);
  }
  // Up or down by factors of two, for as long as it helps.
  const auto climb = [&](double factor) {
    bool helped = false;
    for (auto c = best.config.c * factor; c >= kSmallestC && c <= kLargestC; c *= factor) {
      auto other = best.config;
      other.c = c;
      if (!better(other)) break;
      helped = true;
    }
    return helped;
  };
  if (!climb(0.5)) climb(2);
  return best;
}

}  // namespace fastformer::linear

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
constexpr double kSmallestC = 1.0 / 32, kLargestC = 32;

// Rows to fit on, and others to judge by.
struct Fold {
  std::vector<std::int64_t> train, judged;
};

// Part i of `parts` has each `parts`-th row of a class, in an order drawn from a fixed seed.
std::vector<std::size_t> parts_of(const LabelledRows& rows, std::size_t parts) {
  auto order = all_rows(rows.size());
  base::Random(1).shuffle(order);
  std::vector<std::size_t> seen(static_cast<std::size_t>(rows.classes)), part(order.size());
  for (const auto row : order) {
    const auto label = static_cast<std::size_t>(rows.labels[static_cast<std::size_t>(row)]);
    part[static_cast<std::size_t>(row)] = seen[label]++ % parts;
  }
  return part;
}

class Judge {
 public:
  Judge(const LabelledRows& train, const LabelledRows& validation, const NgramTable& table)
      : train_(train), table_(table), judged_(&train) {
    divide(validation);
    const auto most = kRowsTimesClasses / static_cast<std::size_t>(train.classes);
    for (auto& fold : folds_) {
      if (fold.train.size() <= most) continue;
      base::Random(2).shuffle(fold.train);
      fold.train.resize(most);
    }
  }

  // Cross-entropy at the best temperature, whose inverse is left in `sharpness`.
  double operator()(const MemberConfig& config, double& sharpness) const {
    std::vector<std::vector<double>> scores(1);
    std::vector<std::int32_t> labels;
    for (const auto& fold : folds_) {
      const auto member = fit(train_, fold.train, table_, config);
      const auto part = linear::scores(member, *judged_, fold.judged, table_);
      scores.front().insert(scores.front().end(), part.begin(), part.end());
      for (const auto row : fold.judged) {
        labels.push_back(judged_->labels[static_cast<std::size_t>(row)]);
      }
    }
    const std::array prior = {1.0};
    const auto pool = fit_pool(scores, labels, train_.classes, prior);
    sharpness = pool.coefficients.front();
    return cross_entropy(pool.logits(scores), labels, train_.classes);
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

  const LabelledRows& train_;
  const NgramTable& table_;
  const LabelledRows* judged_;
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
  double least = judge(best.config, best.sharpness);
  const auto better = [&](const MemberConfig& other) {
    Choice choice{other};
    const double value = judge(other, choice.sharpness);
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

#include "fastformer/metrics/rouge/rouge_report.h"

#include <array>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "fastformer/base/format.h"
#include "fastformer/metrics/bootstrap.h"

namespace fastformer::metrics {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array kKinds = {"rouge1", "rouge2", "rougeL", "rougeLsum"};
constexpr std::array kMeasures = {"precision", "recall", "f"};
constexpr std::size_t kColumns = kKinds.size() * kMeasures.size();
constexpr std::int64_t kResamples = 1000;

}  // namespace

void RougeReport::add(const RougeScores& scores) {
  for (const auto* score : {&scores.rouge1, &scores.rouge2, &scores.rouge_l, &scores.rouge_lsum}) {
    scores_.insert(scores_.end(), {score->precision, score->recall, score->f});
  }
}

std::int64_t RougeReport::pairs() const {
  return static_cast<std::int64_t>(scores_.size() / kColumns);
}

std::string RougeReport::table() const {
  const auto intervals = bootstrap_means(scores_, kColumns, {.resamples = kResamples});
  std::string text = base::format("%-11s%-26s%-26s%s\n", "", "precision", "recall", "F");
  for (std::size_t kind = 0; kind < kKinds.size(); ++kind) {
    text += base::format("%-11s", kKinds[kind]);
    for (std::size_t m = 0; m < kMeasures.size(); ++m) {
      const auto& interval = intervals[kind * kMeasures.size() + m];
      text += base::format("%.4f [%.4f, %.4f]%s", interval.mean, interval.low, interval.high,
                           m + 1 < kMeasures.size() ? "   " : "\n");
    }
  }
  return text;
}

std::string RougeReport::json() const {
  const auto intervals = bootstrap_means(scores_, kColumns, {.resamples = kResamples});
  Json report = {{"pairs", pairs()}};
  for (std::size_t kind = 0; kind < kKinds.size(); ++kind) {
    for (std::size_t m = 0; m < kMeasures.size(); ++m) {
      const auto& interval = intervals[kind * kMeasures.size() + m];
      report[kKinds[kind]][kMeasures[m]] = {
          {"mean", interval.mean}, {"low", interval.low}, {"high", interval.high}};
    }
  }
  return report.dump(2);
}

std::string RougeReport::last_pair_json() const {
  if (scores_.empty())
    throw std::invalid_argument("RougeReport: no pair has been added; add one first");
  Json pair;
  const double* const last = scores_.data() + scores_.size() - kColumns;
  for (std::size_t kind = 0; kind < kKinds.size(); ++kind) {
    const double* const score = last + kind * kMeasures.size();
    pair[kKinds[kind]] = {score[0], score[1], score[2]};
  }
  return pair.dump();
}

}  // namespace fastformer::metrics

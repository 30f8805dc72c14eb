#include <algorithm>

#include "fastformer/base/format.h"
#include "fastformer/study/experiment_tables.h"

namespace fastformer::study {
namespace {

constexpr const char* kMissing = "missing";
constexpr const char* kNothing = "-";

std::string signed_points(double points) {
  const auto text = base::format("%+.2f", points);
  return text == "-0.00" ? "+0.00" : text;
}

std::string score_text(const std::string& metric, const std::vector<double>& scores) {
  if (scores.empty()) return kMissing;
  const auto score = mean_and_deviation(scores);
  const double scale = metrics::is_share(metric) ? 100 : 1;
  const int digits = metrics::is_share(metric) ? 2 : 4;
  auto text = base::format("%.*f", digits, scale * score.mean);
  if (score.deviation) text += base::format(" ± %.*f", digits, scale * *score.deviation);
  return text;
}

// The best mean as printed: equal numbers are all marked.
std::string best_of(const std::string& metric, const std::vector<VariantResults>& variants) {
  std::string best;
  double best_mean = 0;
  for (const auto& variant : variants) {
    const auto scores = variant.scores(metric);
    if (scores.empty()) continue;
    const double mean = mean_and_deviation(scores).mean * (metrics::is_share(metric) ? 1 : -1);
    if (best.empty() || mean > best_mean) {
      best_mean = mean;
      best = score_text(metric, scores);
    }
  }
  return best.substr(0, best.find(' '));
}

std::string difference_text(const metrics::ScoreDifference& score) {
  const auto p = score.p < 0.001 ? "p < 0.001" : base::format("p = %.3f", score.p);
  return signed_points(100 * score.difference) + " [" + signed_points(100 * score.low) + ", " +
         signed_points(100 * score.high) + "], " + p;
}

std::string paper_text(double paper, const std::vector<double>& scores) {
  auto text = base::format("%.2f", paper);
  if (!scores.empty()) {
    text += " (" + signed_points(100 * mean_and_deviation(scores).mean - paper) + ")";
  }
  return text;
}

std::string count_text(std::int64_t count) {
  if (count >= 1'000'000) return base::format("%.2f M", static_cast<double>(count) / 1e6);
  return count >= 1000 ? base::format("%.1f k", static_cast<double>(count) / 1e3)
                       : std::to_string(count);
}

std::string baseline_text(const std::string& metric, const metrics::Scores& scores) {
  for (const auto& score : scores) {
    if (score.name == metric) return score_text(metric, {score.value});
  }
  return kNothing;
}

/// Writes the table of one data set, column by column: a row per variant, then a row per baseline.
class DataTable {
 public:
  DataTable(const Experiment& experiment, std::size_t data,
            const std::vector<VariantResults>& variants)
      : experiment_(experiment),
        file_(experiment.file()),
        data_(data),
        variants_(variants),
        baselines_(known_test(variants).baselines),
        rows_(variants.size() + baselines_.size(), "|") {}

  std::string text() {
    const auto& metrics = experiment_.metrics();
    add_column(
        "variant", [&](std::size_t v) { return file_.variants[v].name; },
        [](const auto& baseline) { return base::format("_%s_", baseline.name.c_str()); });
    add_column("seeds", [&](std::size_t v) { return seeds(v); });
    for (const auto& metric : metrics) add_scores(metric);
    for (const auto& metric : metrics) add_comparison(metric);
    for (const auto& metric : metrics) add_paper(metric);
    add_column("parameters", [&](std::size_t v) { return parameters(v); });
    add_column("seconds", [&](std::size_t v) { return seconds(v); });
    std::string text = header_ + "\n" + rule_ + "\n";
    for (const auto& row : rows_) text += row + "\n";
    return text;
  }

 private:
  template <class VariantText, class BaselineText>
  void add_column(const std::string& title, const VariantText& of_variant,
                  const BaselineText& of_baseline) {
    header_ += " " + title + " |";
    rule_ += "---|";
    auto row = rows_.begin();
    for (std::size_t v = 0; v < variants_.size(); ++v)
      (row++)->append(" ").append(of_variant(v)).append(" |");
    for (const auto& baseline : baselines_)
      (row++)->append(" ").append(of_baseline(baseline)).append(" |");
  }
  template <class VariantText>
  void add_column(const std::string& title, const VariantText& of_variant) {
    add_column(title, of_variant, [](const auto&) { return kNothing; });
  }

  void add_scores(const std::string& metric) {
    const auto best = best_of(metric, variants_);
    const auto of_variant = [&](std::size_t v) {
      const auto text = score_text(metric, variants_[v].scores(metric));
      const auto mean = text.substr(0, text.find(' '));
      return mean == best ? "**" + mean + "**" + text.substr(mean.size()) : text;
    };
    add_column(metrics::score_title(metric), of_variant,
               [&](const auto& baseline) { return baseline_text(metric, baseline.scores); });
  }

  void add_comparison(const std::string& metric) {
    if (!metrics::is_share(metric) || variants_.size() == 1) return;
    const auto title = metrics::score_title(metric) + " against " + file_.variants[0].name;
    add_column(title, [&](std::size_t v) {
      const auto& comparison = variants_[v].comparison;
      if (!comparison || !comparison->contains(metric)) return std::string(kNothing);
      return difference_text(comparison->at(metric));
    });
  }

  void add_paper(const std::string& metric) {
    const auto& name = file_.data[data_].name;
    const bool known = std::any_of(file_.variants.begin(), file_.variants.end(),
                                   [&](const auto& v) { return v.paper.contains(name); });
    if (!metrics::is_share(metric) || !known) return;
    const auto title =
        base::format("paper's %s (difference)", metrics::score_title(metric).c_str());
    add_column(title, [&](std::size_t v) {
      const auto paper = experiment_.paper_percent(data_, v, metric);
      return paper ? paper_text(*paper, variants_[v].scores(metric)) : std::string(kNothing);
    });
  }

  std::string seeds(std::size_t v) const {
    const auto finished = variants_[v].finished().size();
    const auto all = std::to_string(file_.seeds.size());
    return finished == file_.seeds.size() ? all : std::to_string(finished) + " of " + all;
  }

  std::string parameters(std::size_t v) const {
    const auto finished = variants_[v].finished();
    if (finished.empty()) return kMissing;
    return count_text(finished.front().parameters) + " (" +
           count_text(finished.front().encoder_parameters) + ")";
  }

  std::string seconds(std::size_t v) const {
    std::vector<double> seconds;
    for (const auto& result : variants_[v].finished()) seconds.push_back(result.training_seconds);
    if (seconds.empty()) return kMissing;
    const double mean = mean_and_deviation(seconds).mean;
    return base::format("%.*f", mean < 100 ? 1 : 0, mean);
  }

  const Experiment& experiment_;
  const ExperimentFile& file_;
  std::size_t data_;
  const std::vector<VariantResults>& variants_;
  std::vector<metrics::NamedScores> baselines_;
  std::string header_ = "|", rule_ = "|";
  std::vector<std::string> rows_;
};

std::string legend(const Experiment& experiment, const ExperimentResults& results) {
  const auto& file = experiment.file();
  std::size_t finished = 0;
  bool baselines = false;
  for (const auto& data : results) {
    for (const auto& variant : data) finished += variant.finished().size();
    baselines = baselines || !known_test(data).baselines.empty();
  }
  std::string seeds;
  for (const auto seed : file.seeds) seeds += (seeds.empty() ? "" : ", ") + std::to_string(seed);
  std::string text =
      base::format("Written by `fastformer experiment %s`; ", file.path.c_str()) +
      base::format("%zu of %zu training runs are finished.\n\n", finished,
                   experiment.cells().size()) +
      "Scores of the test part in percent (the loss in nats): mean ± standard deviation over the "
      "seeds " +
      seeds + ", the best mean in bold. ";
  if (file.variants.size() > 1) {
    text += base::format(
        "Against %s: difference in points, its 95 %% interval and the two-sided p of the paired "
        "bootstrap over the test %s (10,000 resamples, common seeds; p is not corrected for the "
        "number of comparisons). ",
        file.variants.front().name.c_str(), experiment.measures().items.c_str());
  }
  if (baselines) text += "In italics: baselines on the same test part. ";
  return text +
         "Parameters: all, and in brackets those outside the embedding. Seconds: in training "
         "steps, mean over the seeds.\n";
}

bool any_finished(const std::vector<VariantResults>& variants) {
  return std::any_of(variants.begin(), variants.end(),
                     [](const auto& variant) { return !variant.finished().empty(); });
}

std::string size_of_test(const Experiment& experiment,
                         const std::vector<VariantResults>& variants) {
  const auto count = known_test(variants).items;
  if (count == 0) return "";
  return base::format("%ld test %s.\n\n", count, experiment.measures().items.c_str());
}

}  // namespace

std::string results_markdown(const Experiment& experiment, const ExperimentResults& results) {
  const auto& file = experiment.file();
  std::string text = "# " + file.name + "\n\n" + legend(experiment, results);
  for (std::size_t d = 0; d < file.data.size(); ++d) {
    text += "\n## " + file.data[d].name + "\n\n";
    if (!file.data[d].note.empty()) text += file.data[d].note + "\n\n";
    if (!any_finished(results[d])) {
      text += "No training run on it is finished.\n";
      continue;
    }
    text += size_of_test(experiment, results[d]) + DataTable(experiment, d, results[d]).text();
  }
  return text;
}

}  // namespace fastformer::study

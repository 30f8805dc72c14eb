#include <algorithm>
#include <map>

#include "fastformer/base/format.h"
#include "fastformer/train/experiment_tables.h"

namespace fastformer::train {
namespace {

constexpr const char* kMissing = "missing";
constexpr const char* kNone = "-";

const std::map<std::string, std::string> kTitles = {
    {"accuracy", "accuracy"}, {"macro_f1", "macro-F1"}, {"loss", "loss"}};

bool is_percent(const std::string& metric) { return metric != "loss"; }

std::string signed_points(double points) {
  const auto text = base::format("%+.2f", points);
  return text == "-0.00" ? "+0.00" : text;
}

std::string score_text(const std::string& metric, const std::vector<double>& scores) {
  if (scores.empty()) return kMissing;
  const auto score = mean_and_deviation(scores);
  const double scale = is_percent(metric) ? 100 : 1;
  const int digits = is_percent(metric) ? 2 : 4;
  auto text = base::format("%.*f", digits, scale * score.mean);
  if (score.deviation) text += base::format(" ± %.*f", digits, scale * *score.deviation);
  return text;
}

// The best mean as the table shows it: what looks equal is marked alike.
std::string best_of(const std::string& metric, const std::vector<VariantResults>& variants) {
  std::string best;
  double best_mean = 0;
  for (const auto& variant : variants) {
    const auto scores = variant.scores(metric);
    if (scores.empty()) continue;
    const double mean = mean_and_deviation(scores).mean * (is_percent(metric) ? 1 : -1);
    if (best.empty() || mean > best_mean) {
      best_mean = mean;
      best = score_text(metric, scores);
    }
  }
  return best.substr(0, best.find(' '));
}

std::string difference_text(const tasks::ScoreDifference& score) {
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

/// Writes the table of one data set, column by column.
class DataTable {
 public:
  DataTable(const ExperimentFile& file, std::size_t data,
            const std::vector<VariantResults>& variants)
      : file_(file), data_(data), variants_(variants) {}

  std::string text() {
    add_column("variant", [&](std::size_t v) { return file_.variants[v].name; });
    add_column("seeds", [&](std::size_t v) { return seeds(v); });
    for (const auto& metric : file_.metrics) add_scores(metric);
    for (const auto& metric : file_.metrics) add_comparison(metric);
    for (const auto& metric : file_.metrics) add_paper(metric);
    add_column("parameters", [&](std::size_t v) { return parameters(v); });
    add_column("seconds", [&](std::size_t v) { return seconds(v); });
    std::string text = header_ + "\n" + rule_ + "\n";
    for (const auto& row : rows_) text += row + "\n";
    return text;
  }

 private:
  template <class CellText>
  void add_column(const std::string& title, const CellText& cell) {
    header_ += " " + title + " |";
    rule_ += "---|";
    rows_.resize(variants_.size(), "|");
    for (std::size_t v = 0; v < variants_.size(); ++v)
      rows_[v].append(" ").append(cell(v)).append(" |");
  }

  void add_scores(const std::string& metric) {
    const auto best = best_of(metric, variants_);
    add_column(kTitles.at(metric), [&](std::size_t v) {
      const auto text = score_text(metric, variants_[v].scores(metric));
      const auto mean = text.substr(0, text.find(' '));
      return mean == best ? "**" + mean + "**" + text.substr(mean.size()) : text;
    });
  }

  void add_comparison(const std::string& metric) {
    if (!is_percent(metric) || variants_.size() == 1) return;
    add_column(kTitles.at(metric) + " against " + file_.variants[0].name, [&](std::size_t v) {
      const auto& comparison = variants_[v].comparison;
      if (!comparison) return std::string(kNone);
      return difference_text(metric == "accuracy" ? comparison->accuracy : comparison->macro_f1);
    });
  }

  void add_paper(const std::string& metric) {
    const auto& name = file_.data[data_].name;
    const bool known = std::any_of(file_.variants.begin(), file_.variants.end(),
                                   [&](const auto& v) { return v.paper.contains(name); });
    if (!is_percent(metric) || !known) return;
    add_column("paper's " + kTitles.at(metric) + " (difference)", [&](std::size_t v) {
      const auto& paper = file_.variants[v].paper;
      const auto score = paper.find(name);
      if (score == paper.end()) return std::string(kNone);
      return paper_text(metric == "accuracy" ? score->second.accuracy : score->second.macro_f1,
                        variants_[v].scores(metric));
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

  const ExperimentFile& file_;
  std::size_t data_;
  const std::vector<VariantResults>& variants_;
  std::string header_ = "|", rule_ = "|";
  std::vector<std::string> rows_;
};

std::string legend(const ExperimentFile& file, const ExperimentResults& results) {
  std::size_t finished = 0;
  for (const auto& data : results) {
    for (const auto& variant : data) finished += variant.finished().size();
  }
  const auto cells = file.data.size() * file.variants.size() * file.seeds.size();
  std::string seeds;
  for (const auto seed : file.seeds) seeds += (seeds.empty() ? "" : ", ") + std::to_string(seed);
  std::string text = base::format("Written by `fastformer experiment %s`; ", file.path.c_str()) +
                     base::format("%zu of %zu trainings are finished.\n\n", finished, cells) +
                     "Scores of the test part in percent (the loss in nats): mean ± standard "
                     "deviation over the seeds " +
                     seeds + ", the best mean in bold. ";
  if (file.variants.size() > 1) {
    text += "Against " + file.variants.front().name +
            ": difference in points, its 95 % interval and the two-sided p of the paired "
            "bootstrap over the test documents (10,000 resamples, the seeds that both have; p is "
            "not corrected for the number of comparisons). ";
  }
  return text +
         "Parameters: all, and in brackets those outside the embedding. Seconds: in training "
         "steps, mean over the seeds.\n";
}

std::string test_documents(const std::vector<VariantResults>& variants) {
  for (const auto& variant : variants) {
    const auto finished = variant.finished();
    if (finished.empty()) continue;
    return std::to_string(finished.front().test->documents) + " test documents.\n\n";
  }
  return "";
}

}  // namespace

std::string results_markdown(const Experiment& experiment, const ExperimentResults& results) {
  const auto& file = experiment.file();
  std::string text = "# " + file.name + "\n\n" + legend(file, results);
  for (std::size_t d = 0; d < file.data.size(); ++d) {
    text += "\n## " + file.data[d].name + "\n\n";
    if (!file.data[d].note.empty()) text += file.data[d].note + "\n\n";
    text += test_documents(results[d]) + DataTable(file, d, results[d]).text();
  }
  return text;
}

}  // namespace fastformer::train

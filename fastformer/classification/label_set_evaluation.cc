#include "fastformer/classification/label_set_evaluation.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <ostream>
#include <stdexcept>
#include <utility>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/format.h"
#include "fastformer/base/random.h"
#include "fastformer/classification/document_scores.h"
#include "fastformer/classification/evaluation.h"
#include "fastformer/classification/readers/reader.h"
#include "fastformer/data/table_text.h"
#include "fastformer/linear/pool.h"
#include "fastformer/model/label_thresholds.h"

namespace fastformer::classification {
namespace {

metrics::Scores scores_with(const metrics::LabelSetScores& totals, double loss) {
  metrics::Scores scores = {{"loss", loss}};
  for (const auto& metric : metrics::label_set_metrics()) {
    scores.push_back({metric.name, metric.value(totals)});
  }
  return scores;
}

std::vector<double> sigmoids(std::span<const double> logits) {
  std::vector<double> probabilities;
  for (const double logit : logits) probabilities.push_back(linear::sigmoid(logit));
  return probabilities;
}

std::vector<std::string> names_of(const std::vector<std::int32_t>& ids,
                                  const std::vector<std::string>& labels) {
  std::vector<std::string> names;
  for (const auto id : ids) names.push_back(labels[static_cast<std::size_t>(id)]);
  return names;
}

// What is in `a` and not in `b`; both ascend.
std::vector<std::int32_t> without(const std::vector<std::int32_t>& a,
                                  const std::vector<std::int32_t>& b) {
  std::vector<std::int32_t> rest;
  std::ranges::set_difference(a, b, std::back_inserter(rest));
  return rest;
}

}  // namespace

metrics::Scores LabelSetEvaluation::scores() const { return scores_with(totals, loss); }

LabelSetEvaluator::LabelSetEvaluator(const ScoredNetwork& network, const linear::LinearPart* linear,
                                     const std::vector<double>& thresholds)
    : network_(network),
      linear_(linear),
      thresholds_(thresholds),
      sums_{.totals = metrics::LabelSetScores(network.classes()), .documents = {}, .members = {}} {
  for (auto& name : member_names(linear)) {
    members_.push_back({std::move(name), metrics::LabelSetScores(network.classes())});
  }
}

void LabelSetEvaluator::add(const LabelledCorpus& documents) {
  const auto first = sums_.documents.size();
  const auto classes = static_cast<std::size_t>(network_.classes());
  sums_.documents.resize(first + static_cast<std::size_t>(documents.size()));
  const std::vector<double> even(classes, 0.5);
  for_each_scored_batch(
      documents, network_, linear_ == nullptr ? nullptr : linear_->model.get(),
      [&](std::span<const std::int64_t> rows, const linear::MemberScores& scores) {
        const auto logits = linear_ == nullptr ? scores.front() : linear_->pool.logits(scores);
        for (std::size_t i = 0; i < rows.size(); ++i) {
          const auto labels = documents.labels.tokens(rows[i]);
          const auto of_row = std::span(logits).subspan(i * classes, classes);
          const auto probabilities = sigmoids(of_row);
          auto& document = sums_.documents[first + static_cast<std::size_t>(rows[i])];
          document.labels = {labels.begin(), labels.end()};
          document.predicted = model::labels_above(probabilities, thresholds_);
          for (const auto label : document.predicted) {
            document.probabilities.push_back(
                static_cast<float>(probabilities[static_cast<std::size_t>(label)]));
          }
          const double loss = linear::cross_entropy_of(of_row, labels, /*several=*/true);
          document.loss = static_cast<float>(loss);
          sums_.loss += loss;
          document.metrics = sums_.totals.add(labels, of_row, document.predicted);
          for (std::size_t k = 0; k < members_.size(); ++k) {
            const auto own = std::span(scores[k]).subspan(i * classes, classes);
            members_[k].totals.add(labels, own, model::labels_above(sigmoids(own), even));
            members_[k].loss += linear::cross_entropy_of(own, labels, /*several=*/true);
          }
        }
      });
}

LabelSetEvaluation LabelSetEvaluator::result() const {
  if (sums_.documents.empty()) throw std::invalid_argument("there is no document to evaluate");
  const auto documents = static_cast<double>(sums_.documents.size());
  auto result = sums_;
  result.loss /= documents;
  for (const auto& member : members_) {
    result.members.push_back({member.name, scores_with(member.totals, member.loss / documents)});
  }
  return result;
}

std::string label_set_table(const LabelSetEvaluation& evaluation,
                            const std::vector<std::string>& labels) {
  std::string table = class_table("label", evaluation.totals.per_label(), labels);
  for (const auto& metric : metrics::label_set_metrics()) {
    table += base::format("%s %.4f   ", metric.title.c_str(), metric.value(evaluation.totals));
  }
  const auto documents = static_cast<double>(evaluation.totals.total());
  table += base::format("loss %.4f   examples %lld   labels per example %.2f   predicted %.2f\n",
                        evaluation.loss, static_cast<long long>(evaluation.totals.total()),
                        static_cast<double>(evaluation.totals.labels_given()) / documents,
                        static_cast<double>(evaluation.totals.labels_predicted()) / documents);
  for (const auto& [name, scores] : evaluation.members) {
    table += base::format("%s alone: ", name.c_str());
    for (const auto& metric : metrics::label_set_metrics()) {
      table +=
          base::format("  %s %.4f", metric.title.c_str(), metrics::score_of(scores, metric.name));
    }
    table += "\n";
  }
  return table;
}

std::string label_set_json(const LabelSetEvaluation& evaluation,
                           const std::vector<std::string>& labels) {
  nlohmann::ordered_json json;
  for (const auto& [metric, value] : evaluation.scores()) json[metric] = value;
  json["examples"] = evaluation.totals.total();
  const auto per_label = evaluation.totals.per_label();
  for (std::size_t i = 0; i < labels.size(); ++i) {
    json["labels"][labels[i]] = {{"precision", per_label[i].precision},
                                 {"recall", per_label[i].recall},
                                 {"f1", per_label[i].f1},
                                 {"support", per_label[i].support}};
  }
  for (const auto& [name, scores] : evaluation.members) {
    for (const auto& [metric, value] : scores) json["members"][name][metric] = value;
  }
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

void write_label_sets(const std::filesystem::path& path, const LabelSetEvaluation& evaluation,
                      const LabelledCorpus& documents, const std::vector<std::string>& labels,
                      const DataConfig& config) {
  base::write_file_atomically(path, [&](std::ostream& out) {
    out << "row,labels,predicted,probabilities\n";
    for (std::size_t i = 0; i < evaluation.documents.size(); ++i) {
      const auto& document = evaluation.documents[i];
      std::vector<std::string> probabilities;
      for (const float p : document.probabilities) probabilities.push_back(base::format("%.4f", p));
      out << documents.texts.record(static_cast<std::int64_t>(i)) + 1 << ','
          << data::csv_cell(config.joined(names_of(document.labels, labels))) << ','
          << data::csv_cell(config.joined(names_of(document.predicted, labels))) << ','
          << data::csv_cell(config.joined(probabilities)) << '\n';
    }
  });
}

metrics::ItemScores item_scores(const LabelSetEvaluation& evaluation,
                                const LabelledCorpus& documents) {
  metrics::ItemScores items{.metrics = metrics::document_metrics()};
  for (std::int64_t row = 0; row < documents.size(); ++row) {
    std::uint64_t hash = 0;
    for (const auto* corpus : {&documents.texts, &documents.labels}) {
      for (const auto id : corpus->tokens(row)) {
        hash = base::mix64(hash ^ static_cast<std::uint64_t>(id));
      }
      hash = base::mix64(~hash);
    }
    items.add(hash, evaluation.documents[static_cast<std::size_t>(row)].metrics);
  }
  return items;
}

void write_wrong_label_sets(const std::filesystem::path& path, const DataConfig& config,
                            const std::vector<std::string>& files,
                            const LabelSetEvaluation& evaluation,
                            const std::vector<std::string>& labels) {
  struct Wrong {
    std::size_t row;
    std::string where, text;
  };
  std::vector<Wrong> rows;
  std::size_t row = 0;
  for_each_example(config, files, [&](Example& example) {
    if (row == evaluation.documents.size()) throw std::runtime_error("the files have changed");
    const auto& document = evaluation.documents[row];
    if (document.labels != document.predicted) rows.push_back({row, example.where, example.text});
    ++row;
  });
  std::stable_sort(rows.begin(), rows.end(), [&](const auto& a, const auto& b) {
    return evaluation.documents[a.row].loss > evaluation.documents[b.row].loss;
  });
  base::write_file_atomically(path, [&](std::ostream& out) {
    out << "where,labels,predicted,missed,wrong,loss,text\n";
    for (const auto& wrong : rows) {
      const auto& document = evaluation.documents[wrong.row];
      const auto cell = [&](const std::vector<std::int32_t>& ids) {
        return data::csv_cell(config.joined(names_of(ids, labels)));
      };
      out << data::csv_cell(wrong.where) << ',' << cell(document.labels) << ','
          << cell(document.predicted) << ',' << cell(without(document.labels, document.predicted))
          << ',' << cell(without(document.predicted, document.labels))
          << base::format(",%.4f,", document.loss) << data::csv_cell(wrong.text) << '\n';
    }
  });
}

}  // namespace fastformer::classification

#include <nlohmann/json.hpp>
#include <utility>

#include "fastformer/study/experiment_tables.h"

namespace fastformer::study {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const MeanAndDeviation& score) {
  return {{"mean", score.mean},
          {"deviation", score.deviation ? Json(*score.deviation) : Json(nullptr)}};
}

Json to_json(const metrics::ScoreDifference& difference) {
  return {{"difference", difference.difference},
          {"low", difference.low},
          {"high", difference.high},
          {"p", difference.p}};
}

Json metrics_json(const Experiment& experiment, const VariantResults& variant) {
  Json metrics = Json::object();
  for (const auto& metric : experiment.metrics()) {
    const auto scores = variant.scores(metric);
    if (scores.empty()) {
      metrics[metric] = nullptr;
      continue;
    }
    metrics[metric] = to_json(mean_and_deviation(scores));
    metrics[metric]["values"] = scores;
  }
  return metrics;
}

Json variant_json(const Experiment& experiment, std::size_t data, std::size_t variant,
                  const VariantResults& results) {
  const auto& file = experiment.file();
  Json json = {{"name", file.variants[variant].name},
               {"seeds", Json::array()},
               {"metrics", metrics_json(experiment, results)}};
  std::vector<double> seconds;
  for (std::size_t s = 0; s < file.seeds.size(); ++s) {
    const auto& result = results.cells[s].result;
    if (!result) continue;
    json["seeds"].push_back(file.seeds[s]);
    json["parameters"] = result->parameters;
    json["encoder_parameters"] = result->encoder_parameters;
    json["test_items"] = result->test->items;
    seconds.push_back(result->training_seconds);
  }
  if (!seconds.empty()) json["training_seconds"] = to_json(mean_and_deviation(seconds));
  if (results.comparison) {
    for (const auto& metric : experiment.measures().test) {
      const auto difference = results.comparison->find(metric);
      if (difference == results.comparison->end()) continue;
      json["against_first"][metric] = to_json(difference->second);
    }
  }
  for (const auto& metric : experiment.metrics()) {
    const auto paper = experiment.paper_percent(data, variant, metric);
    if (paper) json["paper_percent"][metric] = *paper;
  }
  return json;
}

Json baselines_json(const std::vector<metrics::NamedScores>& baselines) {
  Json json = Json::array();
  for (const auto& baseline : baselines) {
    Json scores = Json::object();
    for (const auto& [metric, value] : baseline.scores) scores[metric] = value;
    json.push_back({{"name", baseline.name}, {"scores", std::move(scores)}});
  }
  return json;
}

}  // namespace

std::string results_json(const Experiment& experiment, const ExperimentResults& results) {
  const auto& file = experiment.file();
  Json root = {{"experiment", file.name},
               {"task", experiment.task()},
               {"seeds", file.seeds},
               {"metrics", experiment.metrics()}};
  for (std::size_t d = 0; d < file.data.size(); ++d) {
    Json data = {{"name", file.data[d].name}, {"note", file.data[d].note}};
    for (std::size_t v = 0; v < file.variants.size(); ++v) {
      data["variants"].push_back(variant_json(experiment, d, v, results[d][v]));
    }
    const auto baselines = known_test(results[d]).baselines;
    if (!baselines.empty()) data["baselines"] = baselines_json(baselines);
    root["data"].push_back(std::move(data));
  }
  return root.dump(2) + "\n";
}

}  // namespace fastformer::study

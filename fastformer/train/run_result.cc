#include "fastformer/train/run_result.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/strict_json.h"

namespace fastformer::train {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const metrics::Scores& scores) {
  Json json = Json::object();
  for (const auto& [name, value] : scores) json[name] = value;
  return json;
}

metrics::Scores scores_of(const Json& json) {
  metrics::Scores scores;
  for (const auto& [name, value] : json.items()) scores.push_back({name, value.get<double>()});
  return scores;
}

Json to_json(const TestScores& test) {
  Json json = {{"items", test.items}};
  json.update(to_json(test.scores));
  return json;
}

TestScores test_scores(Json json) {
  TestScores test{.items = json.at("items").get<std::int64_t>()};
  json.erase("items");
  test.scores = scores_of(json);
  return test;
}

Json to_json(const std::vector<metrics::NamedScores>& baselines) {
  Json json = Json::array();
  for (const auto& [name, scores] : baselines) {
    json.push_back({{"name", name}, {"scores", to_json(scores)}});
  }
  return json;
}

std::vector<metrics::NamedScores> baselines_of(const Json& json) {
  std::vector<metrics::NamedScores> baselines;
  for (const auto& baseline : json) {
    baselines.push_back({baseline.at("name").get<std::string>(), scores_of(baseline.at("scores"))});
  }
  return baselines;
}

}  // namespace

void write_run_result(const std::filesystem::path& path, const RunResult& result) {
  Json json = {{"steps", result.steps},
               {"training_seconds", result.training_seconds},
               {"parameters", result.parameters},
               {"encoder_parameters", result.encoder_parameters},
               {"metric", result.metric},
               {"best_step", result.best_step},
               {"best_validation", result.best_validation},
               {"refit_steps", result.refit_steps}};
  if (result.test) {
    json["test"] = to_json(*result.test);
    if (!result.test->baselines.empty()) json["baselines"] = to_json(result.test->baselines);
  }
  base::write_file_atomically(path, json.dump(2) + "\n");
}

RunResult read_run_result(const std::filesystem::path& path) {
  const auto text = base::read_small_file(path);
  try {
    const auto json = base::parse_strict_json<Json>(text, path.string());
    RunResult result{.steps = json.at("steps").get<std::int64_t>(),
                     .training_seconds = json.at("training_seconds").get<double>(),
                     .parameters = json.at("parameters").get<std::int64_t>(),
                     .encoder_parameters = json.at("encoder_parameters").get<std::int64_t>(),
                     .metric = json.at("metric").get<std::string>(),
                     .best_step = json.at("best_step").get<std::int64_t>(),
                     .best_validation = json.at("best_validation").get<double>(),
                     .refit_steps = json.value("refit_steps", std::int64_t{0})};
    if (json.contains("test")) {
      result.test = test_scores(json.at("test"));
      if (json.contains("baselines")) result.test->baselines = baselines_of(json.at("baselines"));
    }
    return result;
  } catch (const std::exception&) {  // of the JSON, or of a value of another type
    throw std::invalid_argument(
        path.string() +
        ": is not the result.json of a finished run; delete it and finish the run again");
  }
}

}  // namespace fastformer::train

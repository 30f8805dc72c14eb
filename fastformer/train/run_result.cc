#include "fastformer/train/run_result.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "fastformer/base/atomic_file.h"

namespace fastformer::train {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const TestScores& test) {
  Json json = {{"documents", test.documents}};
  for (const auto& [name, value] : test.scores) json[name] = value;
  return json;
}

TestScores test_scores(const Json& json) {
  TestScores test{.documents = json.at("documents").get<std::int64_t>()};
  for (const auto& [name, value] : json.items()) {
    if (name != "documents") test.scores.push_back({name, value.get<double>()});
  }
  return test;
}

}  // namespace

void write_run_result(const std::filesystem::path& path, const RunResult& result) {
  Json json = {{"steps", result.steps},
               {"training_seconds", result.training_seconds},
               {"parameters", result.parameters},
               {"encoder_parameters", result.encoder_parameters},
               {"metric", result.metric},
               {"best_step", result.best_step},
               {"best_validation", result.best_validation}};
  if (result.test) json["test"] = to_json(*result.test);
  base::write_file_atomically(path, json.dump(2) + "\n");
}

RunResult read_run_result(const std::filesystem::path& path) {
  try {
    const auto json = Json::parse(base::read_file(path));
    RunResult result{.steps = json.at("steps").get<std::int64_t>(),
                     .training_seconds = json.at("training_seconds").get<double>(),
                     .parameters = json.at("parameters").get<std::int64_t>(),
                     .encoder_parameters = json.at("encoder_parameters").get<std::int64_t>(),
                     .metric = json.at("metric").get<std::string>(),
                     .best_step = json.at("best_step").get<std::int64_t>(),
                     .best_validation = json.at("best_validation").get<double>()};
    if (json.contains("test")) result.test = test_scores(json.at("test"));
    return result;
  } catch (const Json::exception&) {
    throw std::invalid_argument(path.string() +
                                ": is not what a finished run writes; delete it, so that the run "
                                "is finished again");
  }
}

}  // namespace fastformer::train

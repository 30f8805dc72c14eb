#include "fastformer/cli/evaluate_recommender.h"

#include <algorithm>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "fastformer/base/format.h"
#include "fastformer/cli/log_text.h"
#include "fastformer/cli/model_data.h"
#include "fastformer/data/click_dataset.h"
#include "fastformer/data/click_source.h"
#include "fastformer/tasks/model_files.h"
#include "fastformer/tasks/recommender_directory.h"
#include "fastformer/tasks/recommender_evaluation.h"
#include "fastformer/tasks/score_ensemble.h"

namespace fastformer::cli {
namespace {

namespace fs = std::filesystem;

// A recommender with the data as it reads them.
struct OpenedRecommender {
  std::unique_ptr<tasks::Recommender> model;
  data::ClickDataset dataset;
  data::ClickDataConfig sources;

  const data::ImpressionLog& log() const { return dataset.parts.test; }
};

// Whether they are one, or one is a file in the other.
bool same_source(const fs::path& a, const fs::path& b) {
  const auto same = [](const fs::path& first, const fs::path& second) {
    std::error_code ignored;
    return fs::equivalent(first, second, ignored);
  };
  return same(a, b) || same(a.parent_path(), b) || same(a, b.parent_path());
}

// The files become the test part; what was clicked before it stays known where impressions tell it.
void measure_on(const std::vector<std::string>& files, data::ClickDataConfig& config) {
  if (!data::knows_earlier_parts(config.format)) {
    config.train.clear();
    config.validation.clear();
  }
  for (const auto& file : files) {
    const auto is_file = [&](const std::string& source) { return same_source(file, source); };
    if (std::any_of(config.train.begin(), config.train.end(), is_file)) {
      throw std::invalid_argument(file +
                                  ": the model has learned from this file; name another, or none "
                                  "for the test part of its recipe");
    }
    std::erase_if(config.validation, is_file);
  }
  config.validation_fraction = config.test_fraction = 0;
  config.test = files;
}

OpenedRecommender open_recommender(const fs::path& path, const EvaluateFlags& flags) {
  auto content = tasks::load_recommender(path);
  auto config = override_data(content.data_config, flags.set);
  const auto files = flags.data.empty() ? config.test : flags.data;
  if (!files.empty()) {
    measure_on(files, config);
  } else if (config.test_fraction == 0) {
    throw std::invalid_argument(path.string() +
                                ": the recipe of the model has no test part; name files");
  }
  config.title_tokens = content.model->config().title_limit(config.title_tokens);
  auto dataset = data::prepare_clicks(config, std::move(content.tokenizer));
  return {std::move(content.model), std::move(dataset), std::move(config)};
}

void score(const OpenedRecommender& first, const EvaluateFlags& flags, const tasks::ScoreUse& use) {
  if (flags.ensemble.empty()) {
    return tasks::score_impressions(*first.model, first.dataset.titles, first.log(), use);
  }
  tasks::ScoreEnsemble ensemble;
  ensemble.add(*first.model, first.dataset);
  for (const auto& path : flags.ensemble) {
    const auto member = open_recommender(path, flags);
    ensemble.add(*member.model, member.dataset);
  }
  ensemble.visit(first.log(), use);
}

// Before hours are spent on the models before it.
void check_ensemble(const std::vector<fs::path>& members) {
  for (const auto& path : members) {
    const auto kind = tasks::kind_of_model(path);
    if (kind == "recommender") continue;
    throw std::invalid_argument("--ensemble: " + path.string() + " holds a " + kind +
                                ", expected a recommender");
  }
}

// What is read is not to be overwritten.
void check_predictions_place(const EvaluateFlags& flags, const data::ClickDataConfig& config) {
  if (!fs::exists(flags.predictions)) return;
  std::vector<fs::path> read = {flags.model};
  read.insert(read.end(), flags.ensemble.begin(), flags.ensemble.end());
  for (const auto* sources : {&flags.data, &config.train, &config.test, &config.news}) {
    read.insert(read.end(), sources->begin(), sources->end());
  }
  for (const auto& path : read) {
    std::error_code ignored;
    if (!fs::equivalent(flags.predictions, path, ignored) &&
        !fs::equivalent(flags.predictions.parent_path(), path, ignored)) {
      continue;
    }
    throw std::invalid_argument("--predictions: " + flags.predictions.string() +
                                " lies in what is read; name a file elsewhere");
  }
}

// A prediction names its impression by nothing else.
void check_ids(const data::ImpressionLog& log) {
  std::unordered_set<std::string_view> ids;
  for (std::int64_t i = 0; i < log.size(); ++i) {
    const auto id = log[i].id;
    if (ids.insert(id).second) continue;
    throw std::invalid_argument("--predictions: several impressions have the id '" +
                                std::string(id) +
                                "', by which a prediction is found; evaluate their files one by "
                                "one");
  }
}

void tell_unknown(const data::ClickDataset& dataset) {
  for (const auto& notice : dataset.notices) log_line(notice);
  const auto& counts = dataset.parts.test.counts();
  if (counts.unknown_candidates == 0 && counts.unknown_history == 0) return;
  log_line(base::format(
      "unknown news: %lld of %lld that were shown, which have no title, and %lld "
      "in histories, which are left out",
      static_cast<long long>(counts.unknown_candidates), static_cast<long long>(counts.candidates),
      static_cast<long long>(counts.unknown_history)));
}

}  // namespace

void evaluate_recommender(const EvaluateFlags& flags) {
  check_ensemble(flags.ensemble);
  const auto opened = open_recommender(flags.model, flags);
  tell_unknown(opened.dataset);
  if (!flags.predictions.empty()) {
    check_ids(opened.log());
    check_predictions_place(flags, opened.sources);
  }
  const bool labelled = opened.log().labelled();
  if (flags.predictions.empty()) {
    tasks::check_labelled(opened.log(), "name a prediction file by --predictions");
  }
  tasks::RecommenderMeter meter;
  const auto scorer = [&](const tasks::ScoreUse& use) { score(opened, flags, use); };
  if (flags.predictions.empty()) {
    scorer([&](const auto& impression, auto scores) { meter.add(impression, scores); });
  } else {
    tasks::write_predictions(scorer, flags.predictions, labelled ? &meter : nullptr);
  }
  if (!labelled) return;
  const auto result = meter.result();
  std::cout << (flags.json ? tasks::evaluation_json(result) + "\n"
                           : tasks::evaluation_table(result));
}

}  // namespace fastformer::cli

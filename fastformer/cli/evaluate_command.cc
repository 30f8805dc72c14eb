#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string_view>
#include <unordered_set>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/format.h"
#include "fastformer/cli/commands.h"
#include "fastformer/cli/log_text.h"
#include "fastformer/cli/model_data.h"
#include "fastformer/data/click_dataset.h"
#include "fastformer/data/click_source.h"
#include "fastformer/data/dataset.h"
#include "fastformer/data/pair_dataset.h"
#include "fastformer/tasks/evaluation.h"
#include "fastformer/tasks/model_directory.h"
#include "fastformer/tasks/model_files.h"
#include "fastformer/tasks/recommender_directory.h"
#include "fastformer/tasks/recommender_evaluation.h"
#include "fastformer/tasks/score_ensemble.h"
#include "fastformer/tasks/summarizer_directory.h"
#include "fastformer/tasks/summary_evaluation.h"

namespace fastformer::cli {
namespace {

namespace fs = std::filesystem;

struct EvaluateFlags {
  fs::path model;
  std::vector<std::string> data;
  std::vector<std::string> set;
  std::vector<fs::path> ensemble;
  fs::path predictions;
  bool json = false;
};

// The tokens need files; they are gone when the command ends.
class TemporaryFolder {
 public:
  TemporaryFolder()
      : path_(fs::temp_directory_path() / ("fastformer-" + std::to_string(getpid()))) {
    base::create_folder(path_);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

void evaluate_classifier(const EvaluateFlags& flags) {
  const auto content = tasks::load_model(flags.model);
  const auto& labels = content.format.labels;
  auto config = override_data(content.data_config, flags.set);
  config.max_tokens = content.model_config.document_limit(content.format.max_tokens);
  const TemporaryFolder folder;
  const std::vector<fs::path> files(flags.data.begin(), flags.data.end());
  const auto set = data::tokenize_for_evaluation(config, files, *content.tokenizer, labels,
                                                 folder.path() / "tokens");
  const auto result = tasks::evaluate(*content.model, set);
  std::cout << (flags.json ? tasks::evaluation_json(result, labels) + "\n"
                           : tasks::evaluation_table(result, labels));
}

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

void evaluate_summarizer(const EvaluateFlags& flags) {
  auto content = tasks::load_summarizer(flags.model);
  auto& config = content.data_config;
  const auto set_fields = overrides(flags.set, {"data", "search"});
  set_fields.read_section("data", config);
  set_fields.read_section("search", content.search);
  const auto& model = *content.model;
  config.max_source_tokens = model.config().source.document_limit(config.max_source_tokens);
  config.max_target_tokens = model.config().summary_limit(config.max_target_tokens);
  const TemporaryFolder folder;
  const auto set =
      data::tokenize_for_evaluation(config, flags.data, *content.tokenizer, folder.path());
  const auto texts = data::read_texts(config, flags.data, set);
  const auto result = tasks::evaluate(model, *content.tokenizer, content.search, set, texts);
  std::cout << (flags.json ? tasks::evaluation_json(result) + "\n"
                           : tasks::evaluation_table(result));
}

void evaluate(const EvaluateFlags& flags) {
  const auto kind = tasks::kind_of_model(flags.model);
  if (kind == "recommender") return evaluate_recommender(flags);
  if (!flags.ensemble.empty() || !flags.predictions.empty()) {
    throw std::invalid_argument("--ensemble and --predictions are for recommenders, but " +
                                flags.model.string() + " holds a " + kind);
  }
  if (flags.data.empty()) throw CLI::RequiredError("data");
  if (kind == "summarizer") return evaluate_summarizer(flags);
  evaluate_classifier(flags);
}

}  // namespace

void add_evaluate_command(CLI::App& app) {
  const auto flags = std::make_shared<EvaluateFlags>();
  auto* command = app.add_subcommand("evaluate", "Measure a model on data that hold the answers");
  command->add_option("model", flags->model, "Model directory")->required();
  command->add_option("data", flags->data,
                      "Files or folders, read as the training data was; of a recommender none: the "
                      "test part of its recipe");
  command
      ->add_option("--set", flags->set,
                   "Read the data otherwise: data.key=value; of summaries also search.key=value")
      ->type_name("KEY=VALUE");
  command
      ->add_option("--ensemble", flags->ensemble,
                   "More recommenders, whose standardized scores are averaged with the model's")
      ->delimiter(',');
  command->add_option("--predictions", flags->predictions,
                      "Of a recommender: a file for the ranks, as MIND's leaderboard reads it");
  command->add_flag("--json", flags->json, "Print JSON, of a classifier with the confusion matrix");
  add_precision_option(*command);
  command->callback([flags] { evaluate(*flags); });
}

}  // namespace fastformer::cli

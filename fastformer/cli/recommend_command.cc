#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "fastformer/base/format.h"
#include "fastformer/cli/commands.h"
#include "fastformer/cli/model_options.h"
#include "fastformer/cli/terminal_output.h"
#include "fastformer/recommendation/recommender.h"
#include "fastformer/train/task_kind.h"

namespace fastformer::cli {
namespace {

struct RecommendFlags {
  std::filesystem::path model, items, index;
  std::string history;
  std::vector<std::string> set;
  std::size_t top = 10;
  bool json = false;
  Options options;
};

std::vector<std::string> ids_of(std::string list) {
  std::replace(list.begin(), list.end(), ',', ' ');
  std::istringstream words(list);
  std::vector<std::string> ids;
  for (std::string id; words >> id;) ids.push_back(id);
  return ids;
}

std::string json_line(const Recommendation& item) {
  nlohmann::ordered_json json = {{"id", item.id}, {"score", item.score}, {"title", item.title}};
  for (const auto& reason : item.reasons) {
    json["clicks"].push_back({{"id", reason.id}, {"adds", reason.added}});
  }
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string text_lines(const Recommendation& item) {
  auto text = base::format("%.4f\t", item.score) + item.id + "\t" + item.title + "\n";
  for (const auto& reason : item.reasons) {
    text += base::format("    %+.4f  ", reason.added) + reason.id + "  " + reason.title + "\n";
  }
  return text;
}

void recommend(const RecommendFlags& flags) {
  check_model_for("recommend", flags.model);
  const auto recommender = Recommender::load(flags.model, flags.options);
  auto config = recommender.data_config();
  base::ConfigTree::from_assignments(flags.set, {"data"}).read_section("data", config);
  const auto catalogue = recommender.catalogue(flags.items, flags.index, config);
  if (!flags.index.empty()) {
    log_line(base::format("index: encoded %lld of %lld titles",
                          static_cast<long long>(catalogue.encoded()),
                          static_cast<long long>(catalogue.size())));
  }
  const auto history = ids_of(flags.history);
  const auto result = recommender.recommend(catalogue, history, flags.top);
  for (const auto& id : result.unknown) {
    log_line("history: " + flags.items.string() + " has no item '" + id + "'; it is ignored");
  }
  for (const auto& item : result.items) {
    std::cout << (flags.json ? json_line(item) : text_lines(item));
  }
}

}  // namespace

void add_recommend_command(CLI::App& app) {
  const auto flags = std::make_shared<RecommendFlags>();
  auto* command = app.add_subcommand(
      "recommend", "Recommend items to a user, with the contribution of each click to the scores");
  command->add_option("model", flags->model, "Model directory of a recommender")->required();
  command
      ->add_option("--items,--news", flags->items,
                   "Items to choose from, in the training format: news.tsv or its folder, an .item "
                   "file, a package index")
      ->required();
  command->add_option("--history", flags->history,
                      "Ids of clicked items, oldest first, separated by commas: N55189,N42782; "
                      "these are not recommended again");
  command->add_option("--top", flags->top, "Number of items to recommend")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000'000}))
      ->capture_default_str();
  command->add_option(
      "--index", flags->index,
      "File to store the vectors of titles, so that later calls encode only new titles");
  command->add_option("--set", flags->set, "Override a data setting: data.key=value")
      ->type_name("KEY=VALUE");
  command->add_flag("--json", flags->json, "Print one JSON object per line");
  add_compute_options(*command, flags->options);
  command->callback([flags] { recommend(*flags); });
}

}  // namespace fastformer::cli

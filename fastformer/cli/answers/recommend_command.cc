#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "fastformer/base/format.h"
#include "fastformer/base/json_text.h"
#include "fastformer/cli/answers/recommendation_output.h"
#include "fastformer/cli/commands.h"
#include "fastformer/cli/model_options.h"
#include "fastformer/cli/progress.h"
#include "fastformer/cli/terminal_output.h"
#include "fastformer/recommendation/readers/user_requests.h"
#include "fastformer/recommendation/recommender.h"
#include "fastformer/recommendation/recommender_service.h"
#include "fastformer/train/task_kind.h"

namespace fastformer::cli {
namespace {

using recommendation::RequestFormat;

struct RecommendFlags {
  std::filesystem::path model, items, index, output_file;
  std::string history, users;
  RequestFormat format = RequestFormat::kAuto;
  OutputFormat output_format = OutputFormat::kJsonl;
  RecommendOptions request;
  bool approximate = false;
  std::vector<std::string> set;
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

std::string text_lines(const Recommendation& item) {
  auto text = base::format("%.4f\t", item.score) + item.id + "\t" + item.title + "\n";
  for (const auto& reason : item.reasons) {
    text += base::format("    %+.4f  ", reason.added) + reason.id + "  " + reason.title + "\n";
  }
  return text;
}

// One user, for people.
void recommend_to_one(const RecommendFlags& flags, const Recommender& recommender,
                      const Catalogue& catalogue) {
  const auto history = ids_of(flags.history);
  const bool joined =
      history.size() == 1 && history.front().find_first_of(";|") != std::string::npos;
  if (joined && !catalogue.contains(history.front())) {
    throw std::invalid_argument(flags.items.string() + " has no item '" + history.front() +
                                "'; separate ids by commas");
  }
  const auto result =
      recommender.recommend(catalogue, history, flags.request.top, flags.request.diversity);
  for (const auto& id : result.unknown) {
    log_line("history: " + flags.items.string() + " has no item '" + id + "'; it is ignored");
  }
  if (result.cold) {
    if (result.items.empty()) {
      throw std::invalid_argument("without a history, " + flags.model.string() +
                                  " cannot rank items; give --history, or train it with "
                                  "model.items.members = [\"popularity\"]");
    }
    log_line("there is no history: these are the most popular items");
  } else if (!flags.json) {
    log_line(
        "an item's score is followed by what each click adds: the score minus that without it");
  }
  for (const auto& item : result.items) {
    std::cout << (flags.json ? base::json_text(recommendation::recommendation_json(item)) + "\n"
                             : text_lines(item));
  }
}

// All users of a file.
void recommend_to_many(const RecommendFlags& flags, const Recommender& recommender,
                       const Catalogue& catalogue, const recommendation::DataConfig& config) {
  constexpr std::size_t kBatch = 256;
  if (flags.request.explain && flags.output_format != OutputFormat::kJsonl) {
    throw std::invalid_argument(
        "--explain adds a list to each item, which csv and tsv cannot hold; use "
        "--output-format jsonl");
  }
  recommendation::UserRequestReader reader(flags.users, flags.format, config);
  RequestCounts counts;
  const auto run = [&](std::ostream& out) {
    RecommendationOutput answers(
        out, flags.output_format,
        std::min(flags.request.top, static_cast<std::size_t>(catalogue.size())));
    RecordCounter counter("users", flags.output_file.empty() && isatty(STDOUT_FILENO) != 0);
    while (true) {
      const auto requests = reader.next_batch(kBatch);
      if (requests.empty()) break;
      const auto results = recommender.recommend(catalogue, requests, flags.request);
      for (std::size_t i = 0; i < requests.size(); ++i) {
        answers.write(requests[i], results[i]);
        counts.add(requests[i], catalogue);
      }
      out.flush();
      counter.add(requests.size());
    }
  };
  write_output(flags.output_file, run);
  if (const auto notice = reader.notice(); !notice.empty()) log_line(notice);
  for (const auto& notice : counts.notices(flags.items.string())) log_line(notice);
}

void recommend(const RecommendFlags& flags) {
  check_model_for("recommend", flags.model);
  const auto recommender = Recommender::load(flags.model, flags.options);
  auto config = recommender.data_config();
  base::ConfigTree::from_assignments(flags.set, {"data"}).read_section("data", config);
  const auto catalogue = recommender.catalogue(
      flags.items, {.index = flags.index, .approximate = flags.approximate, .config = config});
  if (!flags.index.empty()) {
    log_line(base::format("index: encoded %lld of %lld titles",
                          static_cast<long long>(catalogue.encoded()),
                          static_cast<long long>(catalogue.size())));
  }
  if (flags.users.empty()) {
    recommend_to_one(flags, recommender, catalogue);
  } else {
    recommend_to_many(flags, recommender, catalogue, config);
  }
}

void add_options_for_many(CLI::App& command, RecommendFlags& flags) {
  auto* users = command.add_option(
      "--users", flags.users,
      "Recommend to each user of this file (-: standard input): JSON Lines with \"history\" (a "
      "list of ids), optional \"user\" and \"candidates\" (ids to rank), or MIND's behaviors.tsv, "
      "whose shown items are the candidates. Users without a known click get the most popular "
      "items if the model has the member popularity, else none");
  add_word_option(command, "--format", flags.format,
                  "Format of --users: jsonl, mind, or auto: by the name of the file")
      ->needs(users);
  add_word_option(
      command, "--output-format", flags.output_format,
      "Output for --users: jsonl: one object per user; csv: one record per user, with a "
      "heading; tsv: the same without a heading")
      ->needs(users);
  command
      .add_flag_callback(
          "--exclude-seen", [&flags] { flags.request.exclude_seen = true; },
          "Do not recommend items of the history; the default, except among candidates")
      ->needs(users);
  command
      .add_flag_callback(
          "--include-seen", [&flags] { flags.request.exclude_seen = false; },
          "Also recommend items of the history")
      ->needs(users)
      ->excludes("--exclude-seen");
  command
      .add_flag("--explain", flags.request.explain,
                "Add the contribution of each click to each score; always without --users")
      ->needs(users);
  command
      .add_flag("--approximate", flags.approximate,
                "Compare users with the items near them instead of with all: for more than about "
                "100,000 items and many users; finds nearly all of the best items")
      ->needs(users);
  command
      .add_option("--output", flags.output_file,
                  "Write to this file, which is created when all results are complete")
      ->needs(users);
  users->excludes("--history", "--json");
}

}  // namespace

void add_recommend_command(CLI::App& app) {
  const auto flags = std::make_shared<RecommendFlags>();
  auto* command = app.add_subcommand(
      "recommend",
      "Recommend items to a user, with the contribution of each click to the scores, or to many");
  command->add_option("model", flags->model, "Model directory of a recommender")->required();
  command
      ->add_option("--items,--news", flags->items,
                   "Items to choose from, in the format of the training data: news.tsv or its "
                   "folder, an .item file, or a package index")
      ->required();
  command->add_option("--history", flags->history,
                      "Ids of clicked items, oldest first, separated by commas, such as "
                      "N55189,N42782; clicked items are not recommended again");
  command->add_option("--top,--top-k", flags->request.top, "Number of items to recommend")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000'000}))
      ->capture_default_str();
  command
      ->add_option("--diversity", flags->request.diversity,
                   "From 0, the items with the highest scores, to 1: of the best items, those that "
                   "differ most in their titles")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command->add_option("--index", flags->index,
                      "File that stores the vectors of titles; later calls encode only new titles");
  command->add_option("--set", flags->set, "Override a data setting: data.key=value")
      ->type_name("KEY=VALUE");
  command->add_flag("--json", flags->json, "Print one JSON object per line");
  add_options_for_many(*command, *flags);
  add_compute_options(*command, flags->options);
  command->callback([flags] { recommend(*flags); });
}

}  // namespace fastformer::cli

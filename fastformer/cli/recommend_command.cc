#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>
#include <stdexcept>

#include "fastformer/base/format.h"
#include "fastformer/cli/commands.h"
#include "fastformer/cli/log_text.h"
#include "fastformer/cli/model_data.h"
#include "fastformer/data/click_source.h"
#include "fastformer/data/title_tokens.h"
#include "fastformer/tasks/news_index.h"
#include "fastformer/tasks/recommender_directory.h"

namespace fastformer::cli {
namespace {

namespace fs = std::filesystem;
using Numbers = std::vector<std::int32_t>;

struct RecommendFlags {
  fs::path model, news, index;
  std::string history;
  std::vector<std::string> set;
  std::int64_t top = 10;
  bool json = false;
};

// The numbers of clicked news; ids that the table lacks are told and left out.
Numbers history_of(const RecommendFlags& flags, const data::NewsTable& news, std::int64_t limit) {
  Numbers history;
  std::string ids = flags.history, id;
  std::replace(ids.begin(), ids.end(), ',', ' ');
  std::istringstream words(ids);
  std::vector<std::string> unknown;
  while (words >> id) {
    const auto number = news.find(id);
    if (number == data::NewsTable::kUnknown) {
      unknown.push_back(id);
    } else {
      history.push_back(number);
    }
  }
  if (history.empty() && !unknown.empty()) {
    throw std::invalid_argument(flags.news.string() +
                                ": has none of the clicked news, so that nothing speaks for any; "
                                "name others, or leave --history out");
  }
  for (const auto& missing : unknown) {
    log_line("history: " + flags.news.string() + " has no news '" + missing + "'; it is left out");
  }
  const auto size = static_cast<std::int64_t>(history.size());
  if (size > limit) history.erase(history.begin(), history.end() - limit);
  return history;
}

// Scores of `candidates` for users who have clicked the lists of `histories`: [users, candidates].
at::Tensor scores_of(const tasks::Recommender& model, const at::Tensor& vectors,
                     const std::vector<Numbers>& histories, const Numbers& candidates) {
  const c10::NoGradGuard no_gradients;
  std::vector<std::int64_t> rows, offsets = {0};
  for (const auto& history : histories) {
    rows.insert(rows.end(), history.begin(), history.end());
    offsets.push_back(static_cast<std::int64_t>(rows.size()));
  }
  const auto users = model.encode_users(vectors, {rows, nn::Offsets(offsets)});
  const std::vector<std::int64_t> chosen(candidates.begin(), candidates.end());
  auto scores = at::mm(users, vectors.index_select(0, at::tensor(chosen, at::kLong)).t());
  if (!at::isfinite(scores).all().item<bool>()) {
    throw std::invalid_argument("a score is not a number; the model has diverged, train it again");
  }
  return scores;
}

// All news but those of the history, the highest scores first.
Numbers best_of(const tasks::Recommender& model, const at::Tensor& vectors, const Numbers& history,
                std::int64_t top) {
  Numbers candidates;
  for (std::int32_t n = 1; n < vectors.size(0); ++n) {
    if (std::find(history.begin(), history.end(), n) == history.end()) candidates.push_back(n);
  }
  const auto scores = scores_of(model, vectors, {history}, candidates);
  const auto* score = scores.const_data_ptr<float>();
  std::vector<std::size_t> order(candidates.size());
  std::iota(order.begin(), order.end(), 0);
  const auto count = std::min<std::size_t>(static_cast<std::size_t>(top), order.size());
  std::partial_sort(
      order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
      [&](auto a, auto b) { return score[a] != score[b] ? score[a] > score[b] : a < b; });
  Numbers best;
  for (std::size_t i = 0; i < count; ++i) best.push_back(candidates[order[i]]);
  return best;
}

// What each click adds to a score: the score less that of the history without the click.
struct Reasons {
  at::Tensor scores;  // [top]
  at::Tensor added;   // [clicks, top]
};

Reasons reasons_of(const tasks::Recommender& model, const at::Tensor& vectors,
                   const Numbers& history, const Numbers& best) {
  std::vector<Numbers> histories = {history};
  for (std::size_t i = 0; i < history.size(); ++i) {
    auto without = history;
    without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
    histories.push_back(std::move(without));
  }
  const auto scores = scores_of(model, vectors, histories, best);
  return {scores[0], scores[0] - scores.narrow(0, 1, scores.size(0) - 1)};
}

void recommend(const RecommendFlags& flags) {
  const auto content = tasks::load_recommender(flags.model);
  const auto config = override_data(content.data_config, flags.set);
  data::NewsTable news;
  data::read_news(flags.news, config, news);
  const auto titles = data::tokenize_titles(
      news, *content.tokenizer, content.model->config().title_limit(config.title_tokens));
  tasks::NewsIndex index(*content.model, flags.index);
  const auto vectors = index.vectors(titles);
  if (!flags.index.empty()) {
    log_line(base::format("index: encoded %lld of %lld titles",
                          static_cast<long long>(index.encoded()),
                          static_cast<long long>(titles.size())));
  }
  const auto history = history_of(flags, news, config.history);
  const auto best = best_of(*content.model, vectors, history, flags.top);
  if (best.empty()) throw std::invalid_argument(flags.news.string() + ": has no other news");
  const auto reasons = reasons_of(*content.model, vectors, history, best);
  for (std::size_t i = 0; i < best.size(); ++i) {
    const auto place = static_cast<std::int64_t>(i);
    const auto score = reasons.scores[place].item<double>();
    nlohmann::ordered_json json = {
        {"id", news.id(best[i])}, {"score", score}, {"title", news.title(best[i])}};
    std::string text =
        base::format("%.4f\t", score) + news.id(best[i]) + "\t" + news.title(best[i]) + "\n";
    for (std::size_t c = 0; c < history.size(); ++c) {
      const auto added = reasons.added[static_cast<std::int64_t>(c)][place].item<double>();
      json["clicks"].push_back({{"id", news.id(history[c])}, {"adds", added}});
      text += base::format("    %+.4f  ", added) + news.id(history[c]) + "  " +
              news.title(history[c]) + "\n";
    }
    std::cout << (flags.json ? json.dump(-1, ' ', false,
                                         nlohmann::ordered_json::error_handler_t::replace) +
                                   "\n"
                             : text);
  }
}

}  // namespace

void add_recommend_command(CLI::App& app) {
  const auto flags = std::make_shared<RecommendFlags>();
  auto* command = app.add_subcommand(
      "recommend", "Choose news for a user, and tell which clicks speak for them");
  command->add_option("model", flags->model, "Model directory of a recommender")->required();
  command
      ->add_option("--news", flags->news,
                   "What to choose from, in the format of the training: news.tsv or its folder, an "
                   ".item file, an index of packages")
      ->required();
  command->add_option(
      "--history", flags->history,
      "Ids of clicked news, oldest first: N55189,N42782; they are not chosen again");
  command->add_option("--top", flags->top, "News to choose")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000'000}))
      ->capture_default_str();
  command->add_option("--index", flags->index,
                      "File that keeps the vectors of titles; only new titles are encoded");
  command->add_option("--set", flags->set, "Read the news otherwise: data.key=value")
      ->type_name("KEY=VALUE");
  command->add_flag("--json", flags->json, "Print a JSON object a line");
  add_precision_option(*command);
  command->callback([flags] { recommend(*flags); });
}

}  // namespace fastformer::cli

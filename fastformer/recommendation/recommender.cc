#include "fastformer/recommendation/recommender.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <utility>

#include "fastformer/nn/inference.h"
#include "fastformer/recommendation/candidates.h"
#include "fastformer/recommendation/collaborative/click_scores.h"
#include "fastformer/recommendation/diverse_items.h"
#include "fastformer/recommendation/item_index.h"
#include "fastformer/recommendation/readers/reader.h"
#include "fastformer/recommendation/recommender_model.h"

namespace fastformer {

using recommendation::Candidates;
using recommendation::ItemTable;
using recommendation::Numbers;
using recommendation::numbers_of;
using recommendation::without_repetitions;

struct Catalogue::Impl {
  std::string name;
  ItemTable items;
  at::Tensor vectors;  // [items + 1, d]
  std::int64_t encoded = 0;
  std::optional<recommendation::TableClickScores> clicks = {};  // of the model

  bool has_bias() const { return clicks && clicks->has_bias(); }
};

namespace {

// Users scored in one product: of so many scores, and so many vectors.
constexpr std::int64_t kBlockScores = std::int64_t{1} << 24;
constexpr std::int64_t kBlockUsers = 256;

at::Tensor rows_of(const at::Tensor& vectors, const Numbers& numbers) {
  return vectors.index_select(
      0, at::tensor(std::vector<std::int64_t>(numbers.begin(), numbers.end()), at::kLong));
}

void check_finite(const at::Tensor& scores) {
  if (at::isfinite(scores).all().item<bool>()) return;
  throw std::invalid_argument("a score is not a number; the model has diverged: train it again");
}

// users [U, d], items [N, d] -> scores of titles [U, N].
at::Tensor products(const at::Tensor& users, const at::Tensor& items) {
  auto result = at::mm(users, items.t()).to(at::kFloat).contiguous();
  check_finite(result);
  return result;
}

std::span<float> row_of(const at::Tensor& scores, std::int64_t row) {
  const auto size = scores.size(1);
  return {scores.mutable_data_ptr<float>() + row * size, static_cast<std::size_t>(size)};
}

// The places of the largest `scores`, largest first; of equal ones the first.
std::vector<std::size_t> best_of(const at::Tensor& scores, std::size_t top) {
  const auto* score = scores.const_data_ptr<float>();
  std::vector<std::size_t> order(static_cast<std::size_t>(scores.numel()));
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto count = std::min(top, order.size());
  std::partial_sort(
      order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
      [&](auto a, auto b) { return score[a] != score[b] ? score[a] > score[b] : a < b; });
  order.resize(count);
  return order;
}

void check_diversity(double diversity) {
  if (diversity >= 0 && diversity <= 1) return;
  throw std::invalid_argument("the diversity is " + std::to_string(diversity) +
                              "; expected a number from 0 to 1");
}

// The places of the items to recommend, in order. `numbers`: the item of each score; `vectors`: of
// all items.
std::vector<std::size_t> places_of(const at::Tensor& scores, const Numbers& numbers,
                                   const at::Tensor& vectors, std::size_t top, double diversity) {
  if (diversity == 0) return best_of(scores, top);
  constexpr std::size_t kConsidered = 10;
  const auto considered =
      best_of(scores, top < numbers.size() / kConsidered ? top * kConsidered : numbers.size());
  Numbers items;
  std::vector<float> of_items;
  for (const auto place : considered) {
    items.push_back(numbers[place]);
    of_items.push_back(scores.const_data_ptr<float>()[place]);
  }
  std::vector<std::size_t> places;
  for (const auto i :
       recommendation::diverse_items(rows_of(vectors, items), of_items, top, diversity)) {
    places.push_back(considered[i]);
  }
  return places;
}

}  // namespace

struct Recommender::Impl {
  recommendation::RecommenderContent content;
  Options options;

  template <class Action>
  decltype(auto) compute(Action&& action) const {
    return nn::infer(options, std::forward<Action>(action));
  }

  recommendation::TitleTokens tokens(const ItemTable& items) const {
    return tokenize_titles(items, *content.tokenizer,
                           content.model->config().title_limit(content.data_config.title_tokens));
  }

  Catalogue catalogue(std::string name, ItemTable items,
                      const std::filesystem::path& index_file) const {
    return compute([&] {
      recommendation::ItemIndex index(*content.model, index_file);
      auto vectors = index.vectors(tokens(items));
      Catalogue::Impl catalogue{std::move(name), std::move(items), std::move(vectors),
                                index.encoded()};
      if (content.clicks) catalogue.clicks.emplace(content.clicks, catalogue.items);
      return Catalogue(std::make_unique<Catalogue::Impl>(std::move(catalogue)));
    });
  }

  // The last clicks, which the model reads.
  Numbers read_clicks(const Numbers& clicks) const {
    const auto kept =
        std::min(clicks.size(), static_cast<std::size_t>(content.data_config.history));
    return {clicks.end() - static_cast<std::ptrdiff_t>(kept), clicks.end()};
  }

  // [users, d].
  at::Tensor users(const at::Tensor& vectors, std::span<const Numbers> histories) const {
    std::vector<std::int64_t> rows, offsets = {0};
    for (const auto& history : histories) {
      rows.insert(rows.end(), history.begin(), history.end());
      offsets.push_back(std::ssize(rows));
    }
    return content.model->encode_users(vectors, {rows, nn::Offsets(offsets)});
  }

  // Scores of `candidates` for a user with that vector [1, d] and history: [candidates].
  at::Tensor scores(const Catalogue::Impl& catalogue, const at::Tensor& user,
                    const Numbers& history, const Numbers& candidates) const {
    auto result = products(user, rows_of(catalogue.vectors, candidates));
    if (catalogue.clicks) {
      auto row = row_of(result, 0);
      for (std::size_t c = 0; c < candidates.size(); ++c) {
        row[c] = static_cast<float>(catalogue.clicks->score(row[c], history, candidates[c]));
      }
      check_finite(result);
    }
    return result.select(0, 0);
  }

  // Scores of all items for users with those vectors and histories: [users, items].
  at::Tensor scores_of_all(const Catalogue::Impl& catalogue, const at::Tensor& encoded,
                           std::span<const Numbers* const> histories) const {
    auto all = products(encoded, catalogue.vectors);
    if (catalogue.clicks) {
      for (std::size_t u = 0; u < histories.size(); ++u) {
        catalogue.clicks->apply(row_of(all, static_cast<std::int64_t>(u)), *histories[u]);
      }
      check_finite(all);
    }
    return all;
  }

  // The requests of one block.
  void recommend(const Catalogue::Impl& catalogue, std::span<const Candidates> block,
                 const RecommendOptions& request,
                 const std::vector<Recommendations*>& results) const {
    std::vector<Numbers> histories;
    for (const auto& one : block) histories.push_back(read_clicks(one.clicks));
    const auto encoded = users(catalogue.vectors, histories);
    std::vector<std::int64_t> searching;
    std::vector<const Numbers*> of_searching;
    for (std::size_t i = 0; i < block.size(); ++i) {
      if (block[i].named) continue;
      searching.push_back(static_cast<std::int64_t>(i));
      of_searching.push_back(&histories[i]);
    }
    at::Tensor all;
    if (!searching.empty()) {
      const auto chosen = encoded.index_select(0, at::tensor(searching, at::kLong));
      all = scores_of_all(catalogue, chosen, of_searching);
    }
    std::int64_t searched = 0;
    for (std::size_t i = 0; i < block.size(); ++i) {
      const auto numbers = block[i].numbers(catalogue.items.size(), request.exclude_seen);
      const auto of_user =
          block[i].named ? scores(catalogue, encoded.narrow(0, static_cast<std::int64_t>(i), 1),
                                  histories[i], numbers)
                         : rows_of(all.select(0, searched++), numbers);
      const auto best =
          places_of(of_user, numbers, catalogue.vectors, request.top, request.diversity);
      Numbers chosen;
      for (const auto place : best) chosen.push_back(numbers[place]);
      if (request.explain) {
        results[i]->items = explained(catalogue, histories[i], chosen);
        continue;
      }
      const auto* score = of_user.const_data_ptr<float>();
      for (const auto place : best) {
        const auto item = numbers[place];
        results[i]->items.push_back(
            {catalogue.items.id(item), catalogue.items.title(item), score[place], {}});
      }
    }
  }

  // Scores, and the contribution of each click.
  std::vector<Recommendation> explained(const Catalogue::Impl& catalogue, const Numbers& history,
                                        const Numbers& chosen) const {
    std::vector<Numbers> histories = {history};
    for (std::size_t i = 0; i < history.size(); ++i) {
      auto without = history;
      without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
      histories.push_back(std::move(without));
    }
    // Of titles alone; the rest of the score is a sum over the clicks.
    const auto all =
        products(users(catalogue.vectors, histories), rows_of(catalogue.vectors, chosen));
    const auto* score = all.const_data_ptr<float>();
    std::vector<Recommendation> result;
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      const auto item = chosen[i];
      const double titles = score[i];
      const auto& clicks = catalogue.clicks;
      auto& one =
          result.emplace_back(Recommendation{catalogue.items.id(item),
                                             catalogue.items.title(item),
                                             clicks ? clicks->score(titles, history, item) : titles,
                                             {}});
      for (std::size_t c = 0; c < history.size(); ++c) {
        double added = titles - score[(c + 1) * chosen.size() + i];
        if (clicks) {
          const auto age = static_cast<double>(history.size() - 1 - c);
          added = clicks->titles_weight() * added +
                  std::pow(clicks->decay(), age) * clicks->weight(history[c], item);
        }
        one.reasons.push_back(
            {catalogue.items.id(history[c]), catalogue.items.title(history[c]), added});
      }
    }
    return result;
  }
};

Catalogue::Catalogue(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
Catalogue::Catalogue(Catalogue&&) noexcept = default;
Catalogue& Catalogue::operator=(Catalogue&&) noexcept = default;
Catalogue::~Catalogue() = default;

std::int64_t Catalogue::size() const { return impl_->items.size() - 1; }
bool Catalogue::contains(std::string_view id) const {
  return impl_->items.find(id) != ItemTable::kUnknown;
}
std::int64_t Catalogue::encoded() const { return impl_->encoded; }

Recommender Recommender::load(const std::filesystem::path& directory, const Options& options) {
  return nn::without_torch_errors(
      [&] { return Recommender(recommendation::RecommenderContent::load(directory), options); });
}

Recommender::Recommender(recommendation::RecommenderContent content, const Options& options)
    : impl_(std::make_unique<Impl>(Impl{std::move(content), options})) {}

Recommender::Recommender(Recommender&&) noexcept = default;
Recommender& Recommender::operator=(Recommender&&) noexcept = default;
Recommender::~Recommender() = default;

const recommendation::RecommenderContent& Recommender::content() const { return impl_->content; }

const recommendation::DataConfig& Recommender::data_config() const {
  return impl_->content.data_config;
}

Catalogue Recommender::catalogue(const std::filesystem::path& items,
                                 const std::filesystem::path& index) const {
  return catalogue(items, index, data_config());
}

Catalogue Recommender::catalogue(const std::filesystem::path& items,
                                 const std::filesystem::path& index,
                                 const recommendation::DataConfig& config) const {
  ItemTable table;
  recommendation::read_items(items, config, table);
  return impl_->catalogue(items.string(), std::move(table), index);
}

Catalogue Recommender::catalogue(std::span<const recommendation::Item> items) const {
  ItemTable table;
  for (const auto& item : items) table.add(item);
  return impl_->catalogue("the catalogue", std::move(table), {});
}

Recommendations Recommender::recommend(const Catalogue& catalogue,
                                       std::span<const std::string> history, std::size_t top,
                                       double diversity) const {
  check_diversity(diversity);
  return impl_->compute([&] {
    const auto& items = catalogue.impl_->items;
    const auto& name = catalogue.impl_->name;
    Recommendations result;
    const Candidates candidates{numbers_of(items, history, result.unknown), {}};
    result.cold = candidates.clicks.empty();
    if (result.cold && !result.unknown.empty()) {
      throw std::invalid_argument(name + " has no item of the history, such as '" +
                                  result.unknown.front() + "'; give ids of its items");
    }
    const auto all = candidates.numbers(items.size(), /*exclude_seen=*/true);
    if (all.empty()) throw std::invalid_argument(name + ": has no other items");
    if (result.cold && !catalogue.impl_->has_bias()) return result;
    const auto clicks = impl_->read_clicks(candidates.clicks);
    const auto user = impl_->users(catalogue.impl_->vectors, std::span(&clicks, 1));
    const auto of_user = impl_->scores_of_all(*catalogue.impl_, user, std::array{&clicks});
    const auto scores = rows_of(of_user.select(0, 0), all);
    Numbers chosen;
    for (const auto place : places_of(scores, all, catalogue.impl_->vectors, top, diversity)) {
      chosen.push_back(all[place]);
    }
    result.items = impl_->explained(*catalogue.impl_, clicks, chosen);
    return result;
  });
}

std::vector<Recommendations> Recommender::recommend(const Catalogue& catalogue,
                                                    std::span<const UserRequest> requests,
                                                    const RecommendOptions& options) const {
  check_diversity(options.diversity);
  return impl_->compute([&] {
    const auto& items = catalogue.impl_->items;
    const auto most = std::clamp(kBlockScores / items.size(), std::int64_t{1}, kBlockUsers);
    std::vector<Recommendations> results(requests.size());
    std::vector<Candidates> block;
    std::vector<Recommendations*> of_block;
    const auto flush = [&] {
      if (!block.empty()) impl_->recommend(*catalogue.impl_, block, options, of_block);
      block.clear();
      of_block.clear();
    };
    for (std::size_t i = 0; i < requests.size(); ++i) {
      auto& result = results[i];
      Candidates candidates{numbers_of(items, requests[i].history, result.unknown), {}};
      if (requests[i].candidates) {
        candidates.named = without_repetitions(
            numbers_of(items, *requests[i].candidates, result.unknown_candidates));
      }
      result.cold = candidates.clicks.empty();
      if (result.cold && !catalogue.impl_->has_bias()) continue;
      block.push_back(std::move(candidates));
      of_block.push_back(&result);
      if (std::ssize(block) == most) flush();
    }
    flush();
    return results;
  });
}

Vectors Recommender::embed(std::span<const std::string> titles) const {
  ItemTable table;
  for (std::size_t i = 0; i < titles.size(); ++i) {
    table.add({.id = std::to_string(i), .title = titles[i], .category = {}});
  }
  return impl_->compute([&] {
    recommendation::ItemIndex index(*impl_->content.model, {});
    const auto rows = index.vectors(impl_->tokens(table)).narrow(0, 1, std::ssize(titles));
    const auto dense = rows.to(at::kFloat).contiguous();
    const auto* first = dense.const_data_ptr<float>();
    return Vectors{static_cast<std::size_t>(dense.size(1)), {first, first + dense.numel()}};
  });
}

Vectors Recommender::embed_users(const Catalogue& catalogue,
                                 std::span<const std::vector<std::string>> histories) const {
  return impl_->compute([&] {
    std::vector<Numbers> clicked;
    std::vector<std::string> unknown;
    for (const auto& history : histories) {
      clicked.push_back(impl_->read_clicks(numbers_of(catalogue.impl_->items, history, unknown)));
    }
    const auto rows = impl_->users(catalogue.impl_->vectors, clicked).to(at::kFloat).contiguous();
    const auto* first = rows.const_data_ptr<float>();
    return Vectors{static_cast<std::size_t>(rows.size(1)), {first, first + rows.numel()}};
  });
}

}  // namespace fastformer

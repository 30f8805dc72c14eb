#include "fastformer/recommendation/recommender.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <utility>

#include "fastformer/kernels/parallel.h"
#include "fastformer/nn/inference.h"
#include "fastformer/recommendation/candidates.h"
#include "fastformer/recommendation/catalogue_content.h"
#include "fastformer/recommendation/diverse_items.h"
#include "fastformer/recommendation/item_index.h"
#include "fastformer/recommendation/readers/reader.h"
#include "fastformer/recommendation/recommender_model.h"

namespace fastformer {

using recommendation::Candidates;
using recommendation::CatalogueContent;
using recommendation::ItemTable;
using recommendation::Numbers;
using recommendation::numbers_of;
using recommendation::rows_of;
using recommendation::without_repetitions;

namespace {

// Users scored in one product: of so many scores, and so many vectors.
constexpr std::int64_t kBlockScores = std::int64_t{1} << 24;
constexpr std::int64_t kBlockUsers = 256;
// Diverse items are chosen among so many times their number.
constexpr std::size_t kConsidered = 10;

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

// So many of `count` items with the highest scores are considered for the `top`.
std::size_t considered(std::size_t top, std::size_t count, double diversity) {
  if (diversity == 0) return std::min(top, count);
  return top < count / kConsidered ? top * kConsidered : count;
}

// The places of the items to recommend, in order. `numbers`: the item of each score; `vectors`: of
// all items.
std::vector<std::size_t> places_of(const at::Tensor& scores, const Numbers& numbers,
                                   const at::Tensor& vectors, std::size_t top, double diversity) {
  const auto best = best_of(scores, considered(top, numbers.size(), diversity));
  if (diversity == 0) return best;
  Numbers items;
  std::vector<float> of_items;
  for (const auto place : best) {
    items.push_back(numbers[place]);
    of_items.push_back(scores.const_data_ptr<float>()[place]);
  }
  std::vector<std::size_t> places;
  for (const auto i :
       recommendation::diverse_items(rows_of(vectors, items), of_items, top, diversity)) {
    places.push_back(best[i]);
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

  Catalogue catalogue(std::string name, ItemTable items, const CatalogueOptions& request) const {
    return compute([&] {
      recommendation::ItemIndex index(*content.model, request.index);
      auto vectors = index.vectors(tokens(items));
      CatalogueContent catalogue{std::move(name), std::move(items), std::move(vectors),
                                 index.encoded()};
      if (content.clicks) catalogue.clicks.emplace(content.clicks, catalogue.items);
      if (request.approximate) {
        catalogue.nearest.emplace(catalogue.vectors.narrow(0, 1, catalogue.items.size() - 1));
      }
      return Catalogue(std::make_unique<CatalogueContent>(std::move(catalogue)));
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

  // The candidates of a user with that vector [d].
  static Numbers numbers_for(const CatalogueContent& catalogue, const Candidates& candidates,
                             const float* user, const RecommendOptions& request) {
    const auto items = static_cast<std::size_t>(catalogue.items.size());
    const bool excludes = request.exclude_seen.value_or(!candidates.named);
    const auto wanted = considered(request.top, items, request.diversity) +
                        (excludes ? candidates.clicks.size() : 0);
    // A search for many items is slower than all scores, and does not find all.
    constexpr std::size_t kLargeShare = 4;
    if (candidates.named || !catalogue.nearest || wanted > items / kLargeShare) {
      return candidates.numbers(catalogue.items.size(), excludes);
    }
    const Candidates near{candidates.clicks, catalogue.near(user, wanted)};
    return near.numbers(catalogue.items.size(), excludes);
  }

  // The requests of one block.
  void recommend(const CatalogueContent& catalogue, std::span<const Candidates> block,
                 const RecommendOptions& request,
                 const std::vector<Recommendations*>& results) const {
    std::vector<Numbers> histories;
    for (const auto& one : block) histories.push_back(read_clicks(one.clicks));
    const auto encoded = users(catalogue.vectors, histories);
    std::vector<std::int64_t> searching;
    std::vector<const Numbers*> of_searching;
    for (std::size_t i = 0; i < block.size(); ++i) {
      if (block[i].named || catalogue.nearest) continue;
      searching.push_back(static_cast<std::int64_t>(i));
      of_searching.push_back(&histories[i]);
    }
    at::Tensor all;
    if (!searching.empty()) {
      const auto chosen = encoded.index_select(0, at::tensor(searching, at::kLong));
      all = catalogue.scores_of_all(chosen, of_searching);
    }
    const auto rows = encoded.to(at::kFloat).contiguous();
    const auto numbers_of_user = [&](std::int64_t i) {
      return numbers_for(catalogue, block[static_cast<std::size_t>(i)],
                         rows.const_data_ptr<float>() + i * rows.size(1), request);
    };
    std::vector<Numbers> found;  // by approximate search
    if (catalogue.nearest) {
      found.resize(block.size());
      kernels::share_items(std::ssize(block), [&](std::int64_t i) {
        found[static_cast<std::size_t>(i)] = numbers_of_user(i);
      });
    }
    std::int64_t searched = 0;
    for (std::size_t i = 0; i < block.size(); ++i) {
      const auto numbers =
          catalogue.nearest ? std::move(found[i]) : numbers_of_user(static_cast<std::int64_t>(i));
      const auto of_user =
          block[i].named || catalogue.nearest
              ? catalogue.scores(encoded.narrow(0, static_cast<std::int64_t>(i), 1), histories[i],
                                 numbers)
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
  std::vector<Recommendation> explained(const CatalogueContent& catalogue, const Numbers& history,
                                        const Numbers& chosen) const {
    std::vector<Numbers> histories = {history};
    for (std::size_t i = 0; i < history.size(); ++i) {
      auto without = history;
      without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
      histories.push_back(std::move(without));
    }
    // Of titles alone; the rest of the score is a sum over the clicks.
    const auto all = recommendation::title_scores(users(catalogue.vectors, histories),
                                                  rows_of(catalogue.vectors, chosen));
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

Catalogue::Catalogue(std::unique_ptr<const CatalogueContent> content)
    : content_(std::move(content)) {}
Catalogue::Catalogue(Catalogue&&) noexcept = default;
Catalogue& Catalogue::operator=(Catalogue&&) noexcept = default;
Catalogue::~Catalogue() = default;

std::int64_t Catalogue::size() const { return content_->items.size() - 1; }
bool Catalogue::contains(std::string_view id) const {
  return content_->items.find(id) != ItemTable::kUnknown;
}
std::int64_t Catalogue::encoded() const { return content_->encoded; }

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
                                 const CatalogueOptions& options) const {
  ItemTable table;
  recommendation::read_items(items, options.config.value_or(data_config()), table);
  return impl_->catalogue(items.string(), std::move(table), options);
}

Catalogue Recommender::catalogue(std::span<const recommendation::Item> items,
                                 const CatalogueOptions& options) const {
  ItemTable table;
  for (const auto& item : items) table.add(item);
  return impl_->catalogue("the catalogue", std::move(table), options);
}

Recommendations Recommender::recommend(const Catalogue& catalogue,
                                       std::span<const std::string> history, std::size_t top,
                                       double diversity) const {
  check_diversity(diversity);
  return impl_->compute([&] {
    const auto& content = *catalogue.content_;
    Recommendations result;
    const Candidates candidates{numbers_of(content.items, history, result.unknown), {}};
    result.cold = candidates.clicks.empty();
    if (result.cold && !result.unknown.empty()) {
      throw std::invalid_argument(content.name + " has no item of the history, such as '" +
                                  result.unknown.front() + "'; give ids of its items");
    }
    if (catalogue.size() == std::ssize(without_repetitions(candidates.clicks))) {
      throw std::invalid_argument(content.name + ": has no other items");
    }
    if (result.cold && !content.has_bias()) return result;
    const RecommendOptions request{
        .top = top, .exclude_seen = true, .explain = true, .diversity = diversity};
    impl_->recommend(content, std::span(&candidates, 1), request, {&result});
    return result;
  });
}

std::vector<Recommendations> Recommender::recommend(const Catalogue& catalogue,
                                                    std::span<const UserRequest> requests,
                                                    const RecommendOptions& options) const {
  check_diversity(options.diversity);
  return impl_->compute([&] {
    const auto& items = catalogue.content_->items;
    const auto most = std::clamp(kBlockScores / items.size(), std::int64_t{1}, kBlockUsers);
    std::vector<Recommendations> results(requests.size());
    std::vector<Candidates> block;
    std::vector<Recommendations*> of_block;
    const auto flush = [&] {
      if (!block.empty()) impl_->recommend(*catalogue.content_, block, options, of_block);
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
      if (result.cold && !catalogue.content_->has_bias()) continue;
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
      clicked.push_back(
          impl_->read_clicks(numbers_of(catalogue.content_->items, history, unknown)));
    }
    const auto rows =
        impl_->users(catalogue.content_->vectors, clicked).to(at::kFloat).contiguous();
    const auto* first = rows.const_data_ptr<float>();
    return Vectors{static_cast<std::size_t>(rows.size(1)), {first, first + rows.numel()}};
  });
}

}  // namespace fastformer

#include "fastformer/recommendation/recommender.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "fastformer/nn/inference.h"
#include "fastformer/recommendation/item_index.h"
#include "fastformer/recommendation/readers/reader.h"
#include "fastformer/recommendation/recommender_model.h"

namespace fastformer {

using recommendation::ItemTable;
using Numbers = std::vector<std::int32_t>;

struct Catalogue::Impl {
  std::string name;
  ItemTable items;
  at::Tensor vectors;  // [items + 1, d]
  std::int64_t encoded = 0;
};

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
      return Catalogue(std::make_unique<Catalogue::Impl>(
          Catalogue::Impl{std::move(name), std::move(items), std::move(vectors), index.encoded()}));
    });
  }

  // The last clicks that the model sees; `unknown` gets the ids that the catalogue lacks.
  Numbers numbers(const ItemTable& items, std::span<const std::string> ids,
                  std::vector<std::string>& unknown) const {
    Numbers history;
    for (const auto& id : ids) {
      const auto number = items.find(id);
      if (number == ItemTable::kUnknown) {
        unknown.push_back(id);
      } else {
        history.push_back(number);
      }
    }
    const auto kept =
        std::min(history.size(), static_cast<std::size_t>(content.data_config.history));
    history.erase(history.begin(), history.end() - static_cast<std::ptrdiff_t>(kept));
    return history;
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

  // Scores of `candidates` for users who clicked the lists of `histories`: [users, candidates].
  at::Tensor scores(const at::Tensor& vectors, std::span<const Numbers> histories,
                    const Numbers& candidates) const {
    const std::vector<std::int64_t> chosen(candidates.begin(), candidates.end());
    auto result = at::mm(users(vectors, histories),
                         vectors.index_select(0, at::tensor(chosen, at::kLong)).t());
    if (!at::isfinite(result).all().item<bool>()) {
      throw std::invalid_argument(
          "a score is not a number; the model has diverged: train it again");
    }
    return result;
  }

  // All items but those of the history, the highest scores first.
  Numbers best(const at::Tensor& vectors, const Numbers& history, std::size_t top) const {
    Numbers candidates;
    for (std::int32_t n = 1; n < vectors.size(0); ++n) {
      if (std::find(history.begin(), history.end(), n) == history.end()) candidates.push_back(n);
    }
    if (candidates.empty()) return {};
    const auto all = scores(vectors, std::span(&history, 1), candidates);
    const auto* score = all.const_data_ptr<float>();
    std::vector<std::size_t> order(candidates.size());
    std::iota(order.begin(), order.end(), 0);
    const auto count = std::min(top, order.size());
    std::partial_sort(
        order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
        [&](auto a, auto b) { return score[a] != score[b] ? score[a] > score[b] : a < b; });
    Numbers result;
    for (std::size_t i = 0; i < count; ++i) result.push_back(candidates[order[i]]);
    return result;
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
    const auto all = scores(catalogue.vectors, histories, chosen).to(at::kFloat).contiguous();
    const auto* score = all.const_data_ptr<float>();
    std::vector<Recommendation> result;
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      const auto item = chosen[i];
      auto& one = result.emplace_back(
          Recommendation{catalogue.items.id(item), catalogue.items.title(item), score[i], {}});
      for (std::size_t c = 0; c < history.size(); ++c) {
        const double without = score[(c + 1) * chosen.size() + i];
        one.reasons.push_back({catalogue.items.id(history[c]), catalogue.items.title(history[c]),
                               one.score - without});
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
                                       std::span<const std::string> history,
                                       std::size_t top) const {
  return impl_->compute([&] {
    const auto& items = *catalogue.impl_;
    Recommendations result;
    const auto clicked = impl_->numbers(items.items, history, result.unknown);
    if (clicked.empty() && !result.unknown.empty()) {
      throw std::invalid_argument(items.name + " has no item of the history, such as '" +
                                  result.unknown.front() + "'; give ids of its items");
    }
    const auto chosen = impl_->best(items.vectors, clicked, top);
    if (chosen.empty()) throw std::invalid_argument(items.name + ": has no other items");
    result.items = impl_->explained(items, clicked, chosen);
    return result;
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
      clicked.push_back(impl_->numbers(catalogue.impl_->items, history, unknown));
    }
    const auto rows = impl_->users(catalogue.impl_->vectors, clicked).to(at::kFloat).contiguous();
    const auto* first = rows.const_data_ptr<float>();
    return Vectors{static_cast<std::size_t>(rows.size(1)), {first, first + rows.numel()}};
  });
}

}  // namespace fastformer

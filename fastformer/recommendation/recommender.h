#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fastformer/base/vectors.h"
#include "fastformer/kernels/options.h"
#include "fastformer/recommendation/data_config.h"
#include "fastformer/recommendation/item_table.h"

namespace fastformer {

namespace recommendation {
struct CatalogueContent;
struct RecommenderContent;
}  // namespace recommendation

/// An item that a recommender chose for a user.
struct Recommendation {
  /// The contribution of one click: the weighted score of titles minus that for the history without
  /// this click, and with model.items.members what the click adds to the score of the item.
  struct Reason {
    std::string id, title;
    double added = 0;
  };
  std::string id, title;
  double score = 0;
  std::vector<Reason> reasons;  ///< one per click that the model reads, oldest first
};

/// The result of `Recommender::recommend` for one user.
struct Recommendations {
  std::vector<Recommendation> items;              ///< best first
  std::vector<std::string> unknown;               ///< history ids that the catalogue lacks; ignored
  std::vector<std::string> unknown_candidates{};  ///< candidates that it lacks; not ranked
  /// The user has no click on an item of the catalogue: the items are the most popular ones if the
  /// model has the member "popularity".
  bool cold = false;
};

/// A user to recommend items to.
struct UserRequest {
  std::string user;                                      ///< any name; may be empty
  std::vector<std::string> history;                      ///< ids of clicked items, oldest first
  std::optional<std::vector<std::string>> candidates{};  ///< ids to rank; nullopt: all items
};

struct RecommendOptions {
  std::size_t top = 10;
  /// Whether to skip items of the history. nullopt: yes, unless the request names candidates.
  std::optional<bool> exclude_seen{};
  bool explain = false;  ///< fill Recommendation::reasons
  /// From 0, the items with the highest scores, to 1: of the 10 * top best items, those that differ
  /// most in their titles; see recommendation/diverse_items.h.
  double diversity = 0;
};

/// Items with their vectors, for the recommender that created them. Immutable; safe to share
/// between threads.
class Catalogue {
 public:
  Catalogue(Catalogue&&) noexcept;
  Catalogue& operator=(Catalogue&&) noexcept;
  ~Catalogue();

  std::int64_t size() const;
  bool contains(std::string_view id) const;
  /// Number of titles that had to be encoded because the index file did not contain them.
  std::int64_t encoded() const;

 private:
  friend class Recommender;
  explicit Catalogue(std::unique_ptr<const recommendation::CatalogueContent> content);

  std::unique_ptr<const recommendation::CatalogueContent> content_;
};

struct CatalogueOptions {
  /// File that stores the vectors of titles, so that only new ones are encoded; empty: none.
  std::filesystem::path index = {};
  /// Whether users are compared with the items near them instead of with all: for catalogues of
  /// more than about 100,000 items and many users. Nearly all of the best items are found, not
  /// always all; making the graph takes some minutes per million items. See
  /// recommendation/nearest_items.h.
  bool approximate = false;
  /// How a file of items is read; nullopt: as the training files were.
  std::optional<recommendation::DataConfig> config = {};
};

/// A trained recommender.
///
///   const auto recommender = fastformer::Recommender::load("runs/mind/model");
///   const auto catalogue = recommender.catalogue("MINDsmall_dev/news.tsv");
///   const std::vector<std::string> history = {"N55189", "N42782"};
///   for (const auto& item : recommender.recommend(catalogue, history).items) {
///     std::cout << item.score << ' ' << item.title << '\n';
///   }
///
/// Immutable; safe to share between threads. Throws std::runtime_error if a computation fails.
class Recommender {
 public:
  /// Throws std::invalid_argument with one sentence for a directory that is missing, incomplete,
  /// damaged, or of another kind or version.
  static Recommender load(const std::filesystem::path& directory, const Options& options = {});
  /// Wraps a model in memory, for example from training.
  explicit Recommender(recommendation::RecommenderContent content, const Options& options = {});
  Recommender(Recommender&&) noexcept;
  Recommender& operator=(Recommender&&) noexcept;
  ~Recommender();

  /// How the training files were read; catalogue() reads items in the same way.
  const recommendation::DataConfig& data_config() const;

  /// Reads items in the format of data_config(): MIND's news.tsv or its folder, an .item file of
  /// RecBole, or a package index. Throws std::invalid_argument naming file and line for items that
  /// cannot be read, and for a damaged index or a model without item vectors (fim).
  Catalogue catalogue(const std::filesystem::path& items,
                      const CatalogueOptions& options = {}) const;
  /// The same for items in memory.
  Catalogue catalogue(std::span<const recommendation::Item> items,
                      const CatalogueOptions& options = {}) const;

  /// The `top` items with the highest scores for a user who clicked `history` (ids, oldest first),
  /// except those in the history, and the reasons. Without a history these are the most popular
  /// items, or none if the model has no popularity. Throws std::invalid_argument if the catalogue
  /// lacks all items of a nonempty history, or has no items besides the history.
  Recommendations recommend(const Catalogue& catalogue, std::span<const std::string> history,
                            std::size_t top = 10, double diversity = 0) const;

  /// One result per request, in their order; a cold user gets no items from a model without
  /// popularity. Users are encoded and scored many at a time. Throws std::invalid_argument unless
  /// the diversity is between 0 and 1, std::runtime_error if a computation fails.
  ///
  ///   const std::vector<fastformer::UserRequest> users = {{"U1", {"N55189", "N42782"}}};
  ///   for (const auto& result : recommender.recommend(catalogue, users, {.top = 5})) use(result);
  std::vector<Recommendations> recommend(const Catalogue& catalogue,
                                         std::span<const UserRequest> requests,
                                         const RecommendOptions& options = {}) const;

  /// Vectors of titles [titles, width]; the score of titles is the product of a user's and an
  /// item's vector.
  /// Throws std::invalid_argument for a model without item vectors (fim), as embed_users() does.
  Vectors embed(std::span<const std::string> titles) const;
  /// Vectors of users [histories, width] by the ids of their clicks; unknown ids are ignored, and a
  /// user without a known click has zeros.
  Vectors embed_users(const Catalogue& catalogue,
                      std::span<const std::vector<std::string>> histories) const;

  const recommendation::RecommenderContent& content() const;

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

}  // namespace fastformer

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
struct RecommenderContent;
}

/// An item that a recommender chose for a user.
struct Recommendation {
  /// Contribution of one click: the score minus the score without this click in the history.
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
  std::vector<std::string> unknown;               ///< ids of the history that the catalogue lacks
  std::vector<std::string> unknown_candidates{};  ///< the same of the candidates; not ranked
  /// The user has no click that the catalogue knows. Nothing is known of such a user: all items
  /// have the same score.
  bool cold = false;
};

/// A user to recommend items to.
struct UserRequest {
  std::string user;                                      ///< any name; may be empty
  std::vector<std::string> history;                      ///< ids of clicked items, oldest first
  std::optional<std::vector<std::string>> candidates{};  ///< ids to rank; none: all items
};

struct RecommendOptions {
  std::size_t top = 10;
  /// Whether items of the history are not recommended. None: they are not, unless the request names
  /// them among its candidates.
  std::optional<bool> exclude_seen{};
  bool explain = false;  ///< fill Recommendation::reasons
};

/// Items with their vectors, for the recommender that made them. Immutable; safe to share by
/// threads.
class Catalogue {
 public:
  Catalogue(Catalogue&&) noexcept;
  Catalogue& operator=(Catalogue&&) noexcept;
  ~Catalogue();

  std::int64_t size() const;
  bool contains(std::string_view id) const;
  /// Titles that were not in the index file and had to be encoded.
  std::int64_t encoded() const;

 private:
  friend class Recommender;
  struct Impl;
  explicit Catalogue(std::unique_ptr<const Impl> impl);

  std::unique_ptr<const Impl> impl_;
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
/// Immutable; safe to share by threads. Throws std::runtime_error if a computation fails.
class Recommender {
 public:
  /// Throws std::invalid_argument with one sentence for a directory that is missing, incomplete,
  /// damaged, or of another kind or version.
  static Recommender load(const std::filesystem::path& directory, const Options& options = {});
  /// A model in memory, for example from training.
  explicit Recommender(recommendation::RecommenderContent content, const Options& options = {});
  Recommender(Recommender&&) noexcept;
  Recommender& operator=(Recommender&&) noexcept;
  ~Recommender();

  /// How the training files were read; items are read in the same way.
  const recommendation::DataConfig& data_config() const;

  /// Reads items in the format of data_config(): MIND's news.tsv or its folder, an .item file of
  /// RecBole, a package index. `index` names a file that stores their vectors, so that only new
  /// titles are encoded; empty: none. Throws std::invalid_argument naming file and line for items
  /// that cannot be read, for a damaged index, and for a model without item vectors (fim).
  Catalogue catalogue(const std::filesystem::path& items,
                      const std::filesystem::path& index = {}) const;
  Catalogue catalogue(const std::filesystem::path& items, const std::filesystem::path& index,
                      const recommendation::DataConfig& config) const;
  /// Items in memory.
  Catalogue catalogue(std::span<const recommendation::Item> items) const;

  /// The `top` items with the highest scores for a user who clicked `history` (ids, oldest first),
  /// without those of the history. Throws std::invalid_argument if the catalogue has no item of the
  /// history, or no other items.
  Recommendations recommend(const Catalogue& catalogue, std::span<const std::string> history,
                            std::size_t top = 10) const;

  /// One result per request, in their order; a cold user gets no items. Users are encoded and
  /// scored many at a time. Throws std::runtime_error if a computation fails.
  ///
  ///   const std::vector<fastformer::UserRequest> users = {{"U1", {"N55189", "N42782"}}};
  ///   for (const auto& result : recommender.recommend(catalogue, users, {.top = 5})) use(result);
  std::vector<Recommendations> recommend(const Catalogue& catalogue,
                                         std::span<const UserRequest> requests,
                                         const RecommendOptions& options = {}) const;

  /// The vectors of titles [titles, width]; the product of a user's and an item's is the score.
  Vectors embed(std::span<const std::string> titles) const;
  /// The vectors of users [histories, width] by the ids of their clicks; zeros for a user without a
  /// click that the catalogue knows.
  Vectors embed_users(const Catalogue& catalogue,
                      std::span<const std::vector<std::string>> histories) const;

  const recommendation::RecommenderContent& content() const;

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

}  // namespace fastformer

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "fastformer/text/tokenizer.h"
#include "fastformer/text/vocabulary.h"

namespace fastformer::recommendation {

/// One entry of a news file.
struct Item {
  std::string id;
  std::string title;
  std::string category;  ///< empty: none
};

/// The news (or whatever is recommended) of a data set, numbered from 1 in the order of their
/// addition. Number 0 stands for every news that the table does not have: it has no title and no
/// category.
///
///   ItemTable news;
///   read_mind_items("MINDsmall_train", config, news);
///   const auto number = news.find("N34700");
///   news.title(number);
class ItemTable {
 public:
  static constexpr std::int32_t kUnknown = 0;

  ItemTable();

  /// The first entry of an id counts: MIND repeats the same news in the folders of its parts. One
  /// with another title is counted.
  void add(Item item);

  /// One more than the number of news that were added.
  std::int64_t size() const { return static_cast<std::int64_t>(titles_.size()); }
  /// kUnknown for an id that the table does not have.
  std::int32_t find(std::string_view id) const;
  const std::string& id(std::int32_t item) const { return ids_[static_cast<std::size_t>(item)]; }
  const std::string& title(std::int32_t item) const {
    return titles_[static_cast<std::size_t>(item)];
  }
  /// Position in categories(); -1: none.
  std::int32_t category(std::int32_t item) const {
    return category_of_[static_cast<std::size_t>(item)];
  }
  const std::vector<std::string>& categories() const { return categories_; }
  /// Entries that were left out although their title is not that of the first with their id.
  std::int64_t conflicts() const { return conflicts_; }

 private:
  template <class Value>
  using Index = std::unordered_map<std::string, Value, text::StringHash, std::equal_to<>>;

  std::vector<std::string> ids_, titles_, categories_;
  std::vector<std::int32_t> category_of_;
  Index<std::int32_t> numbers_, category_numbers_;
  std::int64_t conflicts_ = 0;
};

/// The titles of a news table as token ids, one after another: title n owns
/// ids[offsets[n] .. offsets[n + 1]).
struct TitleTokens {
  std::vector<std::int32_t> ids;            ///< [T]
  std::vector<std::int64_t> offsets = {0};  ///< [N + 1]
  std::int64_t cut = 0;                     ///< titles that lost their tail
  std::int64_t empty = 0;  ///< news of the table without a token of their own; not number 0

  std::int64_t size() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
  std::span<const std::int32_t> title(std::int64_t item) const {
    const auto first = static_cast<std::size_t>(offsets[static_cast<std::size_t>(item)]);
    const auto last = static_cast<std::size_t>(offsets[static_cast<std::size_t>(item) + 1]);
    return std::span(ids).subspan(first, last - first);
  }
};

/// Encodes each title once, to `limit` tokens at most.
TitleTokens tokenize_titles(const ItemTable& items, const text::Tokenizer& tokenizer,
                            std::int64_t limit);

}  // namespace fastformer::recommendation

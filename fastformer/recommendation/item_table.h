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

/// An item: a row of an item file.
struct Item {
  std::string id;
  std::string title;
  std::string category;  ///< empty: none
};

/// The items of a data set (news articles, films, packages), numbered from 1 in the order in which
/// they were added. Number 0 stands for every item that the table lacks; it has no title and no
/// category.
///
///   ItemTable items;
///   read_mind_items("MINDsmall_train", config, items);
///   const auto number = items.find("N34700");
///   items.title(number);
class ItemTable {
 public:
  static constexpr std::int32_t kUnknown = 0;

  ItemTable();

  /// Adds an item unless its id is already present: MIND repeats items in the folders of its parts.
  /// Repeated items with another title are counted as conflicts.
  void add(Item item);

  /// The number of items plus one, for number 0.
  std::int64_t size() const { return static_cast<std::int64_t>(titles_.size()); }
  /// The number of an item; kUnknown for an id that the table lacks.
  std::int32_t find(std::string_view id) const;
  const std::string& id(std::int32_t item) const { return ids_[static_cast<std::size_t>(item)]; }
  const std::string& title(std::int32_t item) const {
    return titles_[static_cast<std::size_t>(item)];
  }
  /// Index of the category in categories(); -1: none.
  std::int32_t category(std::int32_t item) const {
    return category_of_[static_cast<std::size_t>(item)];
  }
  const std::vector<std::string>& categories() const { return categories_; }
  /// Number of items that add() ignored although their title differs from the first one.
  std::int64_t conflicts() const { return conflicts_; }

 private:
  template <class Value>
  using Index = std::unordered_map<std::string, Value, text::StringHash, std::equal_to<>>;

  std::vector<std::string> ids_, titles_, categories_;
  std::vector<std::int32_t> category_of_;
  Index<std::int32_t> numbers_, category_numbers_;
  std::int64_t conflicts_ = 0;
};

/// The titles of an item table as token ids, one after another: title n has the ids
/// offsets[n] .. offsets[n + 1] - 1.
struct TitleTokens {
  std::vector<std::int32_t> ids;            ///< [T]
  std::vector<std::int64_t> offsets = {0};  ///< [N + 1]
  std::int64_t cut = 0;                     ///< number of truncated titles
  std::int64_t empty = 0;                   ///< number of empty titles, without that of item 0

  std::int64_t size() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
  std::span<const std::int32_t> title(std::int64_t item) const {
    const auto first = static_cast<std::size_t>(offsets[static_cast<std::size_t>(item)]);
    const auto last = static_cast<std::size_t>(offsets[static_cast<std::size_t>(item) + 1]);
    return std::span(ids).subspan(first, last - first);
  }
};

/// Encodes each title once and truncates it to `limit` tokens.
TitleTokens tokenize_titles(const ItemTable& items, const text::Tokenizer& tokenizer,
                            std::int64_t limit);

}  // namespace fastformer::recommendation

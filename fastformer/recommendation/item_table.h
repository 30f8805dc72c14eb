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

/// One entry of an item file.
struct Item {
  std::string id;
  std::string title;
  std::string category;  ///< empty: none
};

/// The items of a data set (news articles, films, packages), numbered from 1 in the order of
/// addition. Number 0 stands for every item that the table does not have; it has no title and no
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

  /// Only the first entry of an id is added: MIND repeats items in the folders of its parts.
  /// Entries with another title are counted.
  void add(Item item);

  /// One more than the number of added items.
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
  /// Ignored entries whose title differs from the first entry with their id.
  std::int64_t conflicts() const { return conflicts_; }

 private:
  template <class Value>
  using Index = std::unordered_map<std::string, Value, text::StringHash, std::equal_to<>>;

  std::vector<std::string> ids_, titles_, categories_;
  std::vector<std::int32_t> category_of_;
  Index<std::int32_t> numbers_, category_numbers_;
  std::int64_t conflicts_ = 0;
};

/// The titles of an item table as token ids, one after another: title n owns ids[offsets[n] ..
/// offsets[n + 1]).
struct TitleTokens {
  std::vector<std::int32_t> ids;            ///< [T]
  std::vector<std::int64_t> offsets = {0};  ///< [N + 1]
  std::int64_t cut = 0;                     ///< truncated titles
  std::int64_t empty = 0;                   ///< items with an empty title; number 0 does not count

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

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "fastformer/text/vocabulary.h"

namespace fastformer::data {

/// One entry of a news file.
struct NewsItem {
  std::string id;
  std::string title;
  std::string category;  ///< empty: none
};

/// The news (or whatever is recommended) of a data set, numbered from 1 in the order of their
/// addition. Number 0 stands for every news that the table does not have: it has no title and no
/// category.
///
///   NewsTable news;
///   read_mind_news("MINDsmall_train", config, news);
///   const auto number = news.find("N34700");
///   news.title(number);
class NewsTable {
 public:
  static constexpr std::int32_t kUnknown = 0;

  NewsTable();

  /// The first entry of an id counts: MIND repeats the same news in the folders of its parts. One
  /// with another title is counted.
  void add(NewsItem item);

  /// One more than the number of news that were added.
  std::int64_t size() const { return static_cast<std::int64_t>(titles_.size()); }
  /// kUnknown for an id that the table does not have.
  std::int32_t find(std::string_view id) const;
  const std::string& id(std::int32_t news) const { return ids_[static_cast<std::size_t>(news)]; }
  const std::string& title(std::int32_t news) const {
    return titles_[static_cast<std::size_t>(news)];
  }
  /// Position in categories(); -1: none.
  std::int32_t category(std::int32_t news) const {
    return category_of_[static_cast<std::size_t>(news)];
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

}  // namespace fastformer::data

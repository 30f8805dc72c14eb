#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "fastformer/base/ascii.h"
#include "fastformer/base/format.h"
#include "fastformer/base/printable.h"
#include "fastformer/data/delimited_records.h"
#include "fastformer/data/line_stream.h"
#include "fastformer/recommendation/data_config.h"
#include "fastformer/recommendation/readers/formats.h"
#include "fastformer/recommendation/readers/names.h"
#include "fastformer/recommendation/readers/time_text.h"

namespace fastformer::recommendation {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string>& news_columns() {
  static const std::vector<std::string> names = {
      "id",  "category",       "subcategory",       "title", "abstract",
      "url", "title_entities", "abstract_entities", "body"};
  return names;
}

constexpr std::size_t kLeastNewsColumns = 5;
constexpr std::size_t kBehaviorsColumns = 5;
constexpr const char* kNewsFile = "news.tsv";
constexpr const char* kBehaviorsFile = "behaviors.tsv";
constexpr const char* kEntitiesFile = "entity_embedding.vec";

bool is_zip(const fs::path& path) { return path.extension() == ".zip" && !fs::is_directory(path); }

// The file of that name in a folder or archive; nothing where it has none.
std::optional<data::LineStream> find_file(const fs::path& place, const std::string& name,
                                          const DataConfig& config) {
  if (is_zip(place)) return data::LineStream::in_zip(place, name, config.encoding);
  for (const char* ending : {"", ".gz", ".zst", ".bz2", ".xz"}) {
    const auto file = place / (name + ending);
    if (fs::exists(file)) return data::LineStream(file, config.encoding);
  }
  return std::nullopt;
}

// The file itself, or the one of that name in the folder or archive.
data::LineStream open_file(const fs::path& source, const std::string& name,
                           const DataConfig& config) {
  if (!fs::is_directory(source) && !is_zip(source)) {
    return data::LineStream(source, config.encoding);
  }
  auto found = find_file(source, name, config);
  return found ? std::move(*found) : data::LineStream(source / name, config.encoding);
}

std::size_t news_column(const std::string& name, const char* field) {
  const auto& names = news_columns();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) {
    throw std::invalid_argument(std::string(field) + " contains the column '" + name +
                                "', which MIND's news.tsv does not have" +
                                base::suggestion(name, names));
  }
  return static_cast<std::size_t>(found - names.begin());
}

[[noreturn]] void refuse(const std::string& where, const std::string& what) {
  throw std::invalid_argument(where + ": " + what);
}

bool has_label(std::string_view cell) { return cell.ends_with("-0") || cell.ends_with("-1"); }

class BehaviorsReader {
 public:
  BehaviorsReader(const DataConfig& config, const ItemTable& items, NameNumbers& users)
      : limit_(static_cast<std::size_t>(config.history)), items_(items), users_(users) {}

  void read(data::LineStream lines) {
    bool any = false;
    for (std::string line; lines.next(line);) {
      if (line.empty()) continue;
      any = true;
      add(line, lines.where());
    }
    if (!any) {
      throw std::invalid_argument(lines.name() +
                                  ": contains no impressions, expected MIND's behaviors.tsv");
    }
  }

  ImpressionLog take() {
    log_.count_unknown(unknown_history_, unknown_candidates_);
    return std::move(log_);
  }

 private:
  void add(std::string_view line, const std::string& where) {
    split_mind_behaviors(line, where, cells_);
    const auto time = parse_time(cells_[2]);
    if (!time) {
      refuse(where, "the time '" + base::excerpt(cells_[2]) +
                        "' cannot be read, expected one like 11/15/2019 8:55:22 AM or "
                        "2019-11-15T08:55:22");
    }
    if (cells_[0].empty() || cells_[0].find(' ') != std::string_view::npos) {
      refuse(where, "the id of the impression is '" + base::excerpt(cells_[0]) +
                        "', expected an id without spaces, for the prediction file");
    }
    if (cells_[1].empty()) refuse(where, "the impression has no user");
    const auto user = users_.number(cells_[1]);
    read_candidates(cells_[4], where);
    log_.add({.id = cells_[0], .user = user, .time = *time, .candidates = candidates_},
             history(user, cells_[3]));
  }

  void read_candidates(std::string_view cell, const std::string& where) {
    candidates_.clear();
    data::split_cells(cell, ' ', words_);
    for (auto word : words_) {
      if (word.empty()) continue;
      if (!kind_known_) {
        kind_known_ = true;
        log_.set_labelled(has_label(word));
      }
      bool clicked = false;
      if (log_.labelled()) {
        if (!has_label(word)) {
          refuse(where, "the shown item '" + base::excerpt(word) +
                            "' ends in neither -0 nor -1, unlike the others");
        }
        clicked = word.back() == '1';
        word.remove_suffix(2);
      } else if (has_label(word)) {
        refuse(where, "the shown item '" + base::excerpt(word) +
                          "' has a label -0 or -1, but earlier items have none");
      }
      const auto number = items_.find(word);
      if (number == ItemTable::kUnknown) ++unknown_candidates_;
      candidates_.emplace_back(number, clicked);
    }
    if (candidates_.empty())
      refuse(where, "the impression has no shown items, expected items as in \"N1-1 N2-0\"");
  }

  // In MIND a user has the same history in each impression of a part: it is stored once.
  ImpressionLog::HistoryRange history(std::int32_t user, std::string_view cell) {
    clicks_.clear();
    data::split_cells(cell, ' ', words_);
    for (const auto word : words_) {
      if (word.empty()) continue;
      const auto number = items_.find(word);
      if (number == ItemTable::kUnknown) {
        ++unknown_history_;
      } else {
        clicks_.push_back(number);
      }
    }
    if (clicks_.size() > limit_)
      clicks_.erase(clicks_.begin(), clicks_.end() - static_cast<std::ptrdiff_t>(limit_));
    const auto at = static_cast<std::size_t>(user);
    if (at >= last_of_user_.size()) last_of_user_.resize(at + 1);
    auto& last = last_of_user_[at];
    if (!std::ranges::equal(clicks_, log_.clicks(last))) last = log_.add_history(clicks_);
    return last;
  }

  std::size_t limit_;
  const ItemTable& items_;
  ImpressionLog log_;
  NameNumbers& users_;
  std::vector<ImpressionLog::HistoryRange> last_of_user_;
  bool kind_known_ = false;
  std::int64_t unknown_history_ = 0, unknown_candidates_ = 0;
  std::vector<std::string_view> cells_, words_;
  std::vector<std::int32_t> clicks_;
  std::vector<Candidate> candidates_;
};

void read_items(data::LineStream lines, const DataConfig& config, ItemTable& items) {
  std::vector<std::size_t> title_columns;
  for (const auto& name : config.title_columns) {
    title_columns.push_back(news_column(name, "data.title_columns"));
  }
  const auto category = config.category_column.empty()
                            ? 1
                            : news_column(config.category_column, "data.category_column");
  std::vector<std::string_view> cells, parts;
  bool any = false;
  for (std::string line; lines.next(line);) {
    if (line.empty()) continue;
    any = true;
    data::split_cells(line, '\t', cells);
    if (cells.size() < kLeastNewsColumns) {
      refuse(lines.where(), "has " + std::to_string(cells.size()) +
                                " columns, but MIND's news.tsv has at least 5 (id, category, "
                                "subcategory, title, abstract), separated by tabs");
    }
    if (cells.size() == kBehaviorsColumns && parse_time(cells[2])) {
      refuse(lines.where(), "is a line of MIND's behaviors.tsv, expected one of news.tsv");
    }
    if (lines.line_number() == 1 && base::equal_ignoring_case(cells[1], "category") &&
        base::equal_ignoring_case(cells[3], "title")) {
      refuse(
          lines.where(),
          "is a header row, which MIND's news.tsv does not have; remove it with: sed -i 1d FILE");
    }
    if (cells[0].empty()) refuse(lines.where(), "the item has no id");
    cells.resize(std::max(cells.size(), news_columns().size()));
    parts.clear();
    for (const auto column : title_columns) parts.push_back(cells[column]);
    items.add({.id = std::string(cells[0]),
               .title = join_words(parts),
               .category = std::string(cells[category])});
  }
  if (!any)
    throw std::invalid_argument(lines.name() + ": contains no items, expected MIND's news.tsv");
}

// The items beside the impressions; required unless data.news names files.
void read_items_beside(const std::vector<std::string>& sources, const DataConfig& config,
                       ClickSource& result) {
  for (const auto& source : sources) {
    const fs::path path = source;
    if (!fs::exists(path)) {
      throw std::invalid_argument(
          source +
          ": does not exist; give a folder or zip archive with MIND's behaviors.tsv, or that file");
    }
    const auto place = fs::is_directory(path) || is_zip(path) ? path : path.parent_path();
    if (const auto entities = find_file(place, kEntitiesFile, config)) {
      result.notices.push_back(entities->name() + " is ignored; models use only the titles");
    }
    if (auto file = find_file(place, kNewsFile, config)) {
      read_items(std::move(*file), config, result.items);
    } else if (config.news.empty()) {
      throw std::invalid_argument(
          (place / kNewsFile).string() +
          ": does not exist; put MIND's news.tsv next to the impressions, or list it in data.news");
    }
  }
}

}  // namespace

data::LineStream open_mind_behaviors(const fs::path& source, const DataConfig& config) {
  return open_file(source, kBehaviorsFile, config);
}

void split_mind_behaviors(std::string_view line, const std::string& where,
                          std::vector<std::string_view>& cells) {
  data::split_cells(line, '\t', cells);
  if (cells.size() == kBehaviorsColumns) return;
  refuse(where, "has " + std::to_string(cells.size()) +
                    " columns, but MIND's behaviors.tsv has 5 (impression, user, time, history, "
                    "shown items), separated by tabs");
}

void read_mind_items(const fs::path& source, const DataConfig& config, ItemTable& items) {
  read_items(open_file(source, kNewsFile, config), config, items);
}

ImpressionLog read_behaviors(const std::vector<std::string>& sources, const DataConfig& config,
                             const ItemTable& items, NameNumbers& users) {
  BehaviorsReader reader(config, items, users);
  for (const auto& source : sources) reader.read(open_mind_behaviors(source, config));
  return reader.take();
}

ClickSource read_mind_clicks(const DataConfig& config) {
  ClickSource source;
  for (const auto& file : config.news) read_mind_items(file, config, source.items);
  read_items_beside(config.train, config, source);
  source.training_items = source.items.size() - 1;
  read_items_beside(config.validation, config, source);
  read_items_beside(config.test, config, source);
  NameNumbers users;  // of all parts
  source.parts.train = read_behaviors(config.train, config, source.items, users);
  source.parts.validation = read_behaviors(config.validation, config, source.items, users);
  source.parts.test = read_behaviors(config.test, config, source.items, users);
  return source;
}

}  // namespace fastformer::recommendation

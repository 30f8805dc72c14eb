#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include "fastformer/base/format.h"
#include "fastformer/base/printable.h"
#include "fastformer/data/delimited_records.h"
#include "fastformer/data/line_stream.h"
#include "fastformer/data/splits.h"
#include "fastformer/recommendation/data_config.h"
#include "fastformer/recommendation/readers/formats.h"
#include "fastformer/recommendation/readers/names.h"
#include "fastformer/recommendation/readers/time_text.h"
#include "fastformer/recommendation/readers/unmet_items.h"

namespace fastformer::recommendation {
namespace {

// One atomic file of RecBole, line by line.
//
//   RecboleTable table("ml-100k.item", config);
//   const auto title = table.column("movie_title");
//   while (table.next()) use(table.cell(title));
class RecboleTable {
 public:
  // Throws std::invalid_argument, as next() does, with file and line.
  RecboleTable(const std::filesystem::path& file, const DataConfig& config);

  // The position of a column; its type in the heading is ignored. column() throws
  // std::invalid_argument with the nearest name for a missing column.
  std::size_t column(const std::string& name) const;
  std::optional<std::size_t> find_column(const std::string& name) const;

  // Refuses a line whose number of columns differs from the heading.
  bool next();
  std::string_view cell(std::size_t column) const { return cells_[column]; }
  // Throws std::invalid_argument for a cell that is not a finite number.
  double number(std::size_t column) const;
  // A number, or a time by ISO 8601.
  double time(std::size_t column) const;
  std::int64_t line() const { return lines_.line_number(); }
  std::string where() const { return lines_.where(); }

 private:
  data::LineStream lines_;
  std::vector<std::string> names_;
  std::string line_;
  std::vector<std::string_view> cells_;
};

RecboleTable::RecboleTable(const std::filesystem::path& file, const DataConfig& config)
    : lines_(file, config.encoding) {
  if (!lines_.next(line_)) {
    throw std::invalid_argument(lines_.name() +
                                ": is empty, expected a first line that names the columns, like "
                                "\"item_id:token\"");
  }
  data::split_cells(line_, '\t', cells_);
  if (cells_.size() == 1 && line_.find(',') != std::string::npos) {
    throw std::invalid_argument(
        where() + ": is separated by commas, but RecBole's files use tabs; convert it to tabs");
  }
  for (const auto cell : cells_) {
    const auto colon = cell.find(':');
    if (colon == std::string_view::npos) {
      throw std::invalid_argument(where() + ": the column name '" + base::excerpt(cell) +
                                  "' has no type, expected name:type as in \"user_id:token\"");
    }
    names_.emplace_back(cell.substr(0, colon));
  }
}

std::optional<std::size_t> RecboleTable::find_column(const std::string& name) const {
  const auto found = std::find(names_.begin(), names_.end(), name);
  if (found == names_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - names_.begin());
}

std::size_t RecboleTable::column(const std::string& name) const {
  const auto found = find_column(name);
  if (!found) {
    throw std::invalid_argument(lines_.name() + ": there is no column '" + name + "'" +
                                base::suggestion(name, names_));
  }
  return *found;
}

bool RecboleTable::next() {
  do {
    if (!lines_.next(line_)) return false;
  } while (line_.empty());
  data::split_cells(line_, '\t', cells_);
  if (cells_.size() != names_.size()) {
    throw std::invalid_argument(where() + ": has " + std::to_string(cells_.size()) +
                                " columns, but the first line names " +
                                std::to_string(names_.size()));
  }
  return true;
}

double RecboleTable::number(std::size_t column) const {
  const auto text = cells_[column];
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    throw std::invalid_argument(where() + ": the " + names_[column] + " '" + base::excerpt(text) +
                                "' is not a number");
  }
  return value;
}

double RecboleTable::time(std::size_t column) const {
  const auto parsed = parse_time(cells_[column]);
  return parsed ? *parsed : number(column);
}

namespace fs = std::filesystem;

// The only file with the ending in the folder.
fs::path only_file(const fs::path& folder, const char* ending) {
  std::set<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ending) found.insert(entry.path());
  }
  if (found.size() != 1) {
    throw std::invalid_argument(folder.string() + ": contains " + std::to_string(found.size()) +
                                " files whose names end in " + ending + ", expected one");
  }
  return *found.begin();
}

fs::path interactions_file(const fs::path& source) {
  return fs::is_directory(source) ? only_file(source, ".inter") : source;
}

// The source itself, or the file that belongs to the interactions.
fs::path items_file(const fs::path& source) {
  if (source.extension() == ".item") return source;
  auto same = interactions_file(source);
  same.replace_extension(".item");
  if (fs::exists(same)) return same;
  const auto folder = same.parent_path();
  return only_file(folder.empty() ? fs::path(".") : folder, ".item");
}

struct Interaction {
  std::int32_t user = 0, item = 0;
  double time = 0;
  bool click = false;
  data::Part part = data::Part::kTrain;
};

constexpr std::size_t kParts = 3;

class InteractionsReader {
 public:
  InteractionsReader(const DataConfig& config, const ItemTable& items)
      : config_(config), items_(items) {}

  void read(const fs::path& file, data::Part part) {
    RecboleTable table(file, config_);
    const auto user = table.column("user_id"), item = table.column("item_id");
    const auto time = table.find_column("timestamp");
    if (!time) {
      notices_.push_back(
          file.string() +
          ": has no column 'timestamp'; its lines are assumed to be in order of time");
    }
    const auto rating = table.find_column("rating");
    const auto label = table.find_column("label");
    const auto is_click = [&] {
      if (rating) return table.number(*rating) >= config_.click_rating;
      return !label || table.number(*label) > 0;
    };
    while (table.next()) {
      const auto number = users_.number(table.cell(user));
      if (static_cast<std::size_t>(number) == names_.size()) names_.emplace_back(table.cell(user));
      all_.push_back({.user = number,
                      .item = items_.find(table.cell(item)),
                      .time = time ? table.time(*time) : static_cast<double>(table.line()),
                      .click = is_click(),
                      .part = part});
    }
  }

  const std::vector<std::string>& notices() const { return notices_; }

  LogParts impressions() {
    // Stable: interactions of one second stay in the order of the file.
    std::stable_sort(all_.begin(), all_.end(), [](const Interaction& a, const Interaction& b) {
      return std::tie(a.user, a.time) < std::tie(b.user, b.time);
    });
    for (auto first = all_.begin(); first != all_.end();) {
      const auto end = std::find_if(first, all_.end(),
                                    [&](const Interaction& i) { return i.user != first->user; });
      add_user({first, end});
      first = end;
    }
    return std::move(logs_);
  }

 private:
  // The clicks that the histories of a part may contain, in the order of time.
  struct Known {
    std::int64_t first = 0;   // of all clicks of the logs
    std::int32_t before = 0;  // the next impression
    bool used = false;
  };

  void add_user(std::span<const Interaction> interactions) {
    std::vector<std::int32_t> met;
    std::array<Known, kParts> known;
    for (const auto& i : interactions) {
      met.push_back(i.item);
      if (i.click) known[place(i.part)].used = true;
    }
    unmet_.begin_user(names_[static_cast<std::size_t>(interactions.front().user)], met);
    for (std::size_t part = 0; part < kParts; ++part) {
      if (known[part].used) known[part].first = add_clicks_until(part, interactions);
    }
    for (const auto& i : interactions) {
      if (i.click) add_impression(i, known);
    }
  }

  std::int64_t add_clicks_until(std::size_t part, std::span<const Interaction> interactions) {
    std::vector<std::int32_t> clicks;
    for (const auto& i : interactions) {
      if (counts(i) && place(i.part) <= part) clicks.push_back(i.item);
    }
    return logs_.train.add_history(clicks).first;
  }

  void add_impression(const Interaction& i, std::array<Known, kParts>& known) {
    auto& log = i.part == data::Part::kTest         ? logs_.test
                : i.part == data::Part::kValidation ? logs_.validation
                                                    : logs_.train;
    const auto& own = known[place(i.part)];
    const auto count = std::min(own.before, static_cast<std::int32_t>(config_.history));
    log.add({.id = std::to_string(++impressions_),
             .user = i.user,
             .time = i.time,
             .history = {},
             .candidates = unmet_.around(i.item)},
            {.first = own.first + own.before - count, .count = count});
    log.count_unknown(0, i.item == ItemTable::kUnknown ? 1 : 0);
    if (!counts(i)) return;
    for (auto part = place(i.part); part < kParts; ++part) ++known[part].before;
  }

  static std::size_t place(data::Part part) { return static_cast<std::size_t>(part); }
  static bool counts(const Interaction& i) { return i.click && i.item != ItemTable::kUnknown; }

  const DataConfig& config_;
  const ItemTable& items_;
  NameNumbers users_;
  std::vector<std::string> names_;
  std::vector<Interaction> all_;
  std::vector<std::string> notices_;
  UnmetItems unmet_{items_.size() - 1, config_.sampled_negatives, config_.sampling_seed};
  LogParts logs_;
  std::int64_t impressions_ = 0;
};

}  // namespace

void read_recbole_items(const fs::path& source, const DataConfig& config, ItemTable& items) {
  const auto file = items_file(source);
  RecboleTable table(file, config);
  bool any = false;
  const auto id = table.column("item_id");
  std::vector<std::size_t> titles;
  for (const auto& name : config.title_columns) titles.push_back(table.column(name));
  std::vector<std::string_view> parts;
  while (table.next()) {
    parts.clear();
    for (const auto column : titles) parts.push_back(table.cell(column));
    Item item{.id = std::string(table.cell(id)), .title = join_words(parts), .category = {}};
    if (!config.category_column.empty()) {
      item.category = table.cell(table.column(config.category_column));
    }
    items.add(std::move(item));
    any = true;
  }
  if (!any) throw std::invalid_argument(file.string() + ": contains no items after its first line");
}

ClickSource read_recbole_clicks(const DataConfig& config) {
  ClickSource source;
  const std::array parts = {std::pair{&config.train, data::Part::kTrain},
                            std::pair{&config.validation, data::Part::kValidation},
                            std::pair{&config.test, data::Part::kTest}};
  for (const auto& [files, part] : parts) {
    for (const auto& file : *files) read_recbole_items(file, config, source.items);
    if (part == data::Part::kTrain) source.training_items = source.items.size() - 1;
  }
  InteractionsReader reader(config, source.items);
  for (const auto& [files, part] : parts) {
    for (const auto& file : *files) reader.read(interactions_file(file), part);
  }
  source.parts = reader.impressions();
  source.notices = reader.notices();
  const auto& logs = source.parts;
  for (const auto& [files, log] :
       {std::pair{&config.train, &logs.train}, std::pair{&config.validation, &logs.validation},
        std::pair{&config.test, &logs.test}}) {
    if (files->empty() || log->size() > 0) continue;
    throw std::invalid_argument(
        base::format("%s: contains no clicks, expected a rating of at least data.click_rating = %g "
                     "or a label above 0",
                     interactions_file(files->front()).c_str(), config.click_rating));
  }
  return source;
}

}  // namespace fastformer::recommendation

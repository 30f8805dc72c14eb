#include "fastformer/data/recbole_clicks.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "fastformer/base/format.h"
#include "fastformer/data/cells.h"
#include "fastformer/data/recbole_table.h"
#include "fastformer/data/splits.h"
#include "fastformer/data/unmet_items.h"

namespace fastformer::data {
namespace {

namespace fs = std::filesystem;

// The only file with the ending in the folder.
fs::path only_file(const fs::path& folder, const char* ending) {
  std::set<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ending) found.insert(entry.path());
  }
  if (found.size() != 1) {
    throw std::invalid_argument(folder.string() + ": holds " + std::to_string(found.size()) +
                                " files that end in " + ending + ", expected one");
  }
  return *found.begin();
}

fs::path interactions_file(const fs::path& source) {
  return fs::is_directory(source) ? only_file(source, ".inter") : source;
}

// The source itself, or that which belongs to the interactions.
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
  Part part = Part::kTrain;
};

constexpr std::size_t kParts = 3;

class InteractionsReader {
 public:
  InteractionsReader(const ClickDataConfig& config, const NewsTable& items)
      : config_(config), items_(items) {}

  void read(const fs::path& file, Part part) {
    RecboleTable table(file);
    const auto user = table.column("user_id"), item = table.column("item_id");
    const auto time = table.column("timestamp");
    const auto rating = table.find_column("rating");
    while (table.next()) {
      const auto number = users_.number(table.cell(user));
      if (static_cast<std::size_t>(number) == names_.size()) names_.emplace_back(table.cell(user));
      all_.push_back({.user = number,
                      .item = items_.find(table.cell(item)),
                      .time = table.number(time),
                      .click = !rating || table.number(*rating) >= config_.click_rating,
                      .part = part});
    }
  }

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
  // The clicks that impressions of a part may know, in the order of time.
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
    auto& log = i.part == Part::kTest         ? logs_.test
                : i.part == Part::kValidation ? logs_.validation
                                              : logs_.train;
    const auto& own = known[place(i.part)];
    const auto count = std::min(own.before, static_cast<std::int32_t>(config_.history));
    log.add({.id = std::to_string(++impressions_),
             .user = i.user,
             .time = i.time,
             .history = {},
             .candidates = unmet_.around(i.item)},
            {.first = own.first + own.before - count, .count = count});
    log.count_unknown(0, i.item == NewsTable::kUnknown ? 1 : 0);
    if (!counts(i)) return;
    for (auto part = place(i.part); part < kParts; ++part) ++known[part].before;
  }

  static std::size_t place(Part part) { return static_cast<std::size_t>(part); }
  static bool counts(const Interaction& i) { return i.click && i.item != NewsTable::kUnknown; }

  const ClickDataConfig& config_;
  const NewsTable& items_;
  NameNumbers users_;
  std::vector<std::string> names_;
  std::vector<Interaction> all_;
  UnmetItems unmet_{items_.size() - 1, config_.sampled_negatives, config_.sampling_seed};
  LogParts logs_;
  std::int64_t impressions_ = 0;
};

}  // namespace

void read_recbole_items(const fs::path& source, const ClickDataConfig& config, NewsTable& items) {
  const auto file = items_file(source);
  RecboleTable table(file);
  bool any = false;
  const auto id = table.column("item_id");
  std::vector<std::size_t> titles;
  for (const auto& name : config.title_columns) titles.push_back(table.column(name));
  std::vector<std::string_view> parts;
  while (table.next()) {
    parts.clear();
    for (const auto column : titles) parts.push_back(table.cell(column));
    NewsItem item{.id = std::string(table.cell(id)), .title = join_words(parts), .category = {}};
    if (!config.category_column.empty()) {
      item.category = table.cell(table.column(config.category_column));
    }
    items.add(std::move(item));
    any = true;
  }
  if (!any) throw std::invalid_argument(file.string() + ": holds no items below its first line");
}

ClickSource read_recbole_clicks(const ClickDataConfig& config) {
  ClickSource source;
  const std::array parts = {std::pair{&config.train, Part::kTrain},
                            std::pair{&config.validation, Part::kValidation},
                            std::pair{&config.test, Part::kTest}};
  for (const auto& [files, part] : parts) {
    for (const auto& file : *files) read_recbole_items(file, config, source.news);
    if (part == Part::kTrain) source.training_news = source.news.size() - 1;
  }
  InteractionsReader reader(config, source.news);
  for (const auto& [files, part] : parts) {
    for (const auto& file : *files) reader.read(interactions_file(file), part);
  }
  source.parts = reader.impressions();
  const auto& logs = source.parts;
  for (const auto& [files, log] :
       {std::pair{&config.train, &logs.train}, std::pair{&config.validation, &logs.validation},
        std::pair{&config.test, &logs.test}}) {
    if (files->empty() || log->size() > 0) continue;
    throw std::invalid_argument(
        base::format("%s: holds no click, that is no rating of at least data.click_rating = %g",
                     interactions_file(files->front()).c_str(), config.click_rating));
  }
  return source;
}

}  // namespace fastformer::data

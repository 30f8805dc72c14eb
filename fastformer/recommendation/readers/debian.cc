#include <algorithm>
#include <array>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "fastformer/base/format.h"
#include "fastformer/base/random.h"
#include "fastformer/data/debian_index.h"
#include "fastformer/data/delimited_records.h"
#include "fastformer/recommendation/data_config.h"
#include "fastformer/recommendation/readers/formats.h"
#include "fastformer/recommendation/readers/names.h"
#include "fastformer/recommendation/readers/unmet_items.h"

namespace fastformer::recommendation {
namespace {

void check_columns(const DataConfig& config) {
  const std::vector<std::string> known = {"title", "body"};
  for (const auto& name : config.title_columns) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      throw std::invalid_argument("data.title_columns contains '" + name +
                                  "', which is not a field of a package" +
                                  base::suggestion(name, known));
    }
  }
  if (!config.category_column.empty()) {
    throw std::invalid_argument(
        "data.category_column is for mind and recbole; the category of a package is its section: "
        "remove the field");
  }
}

std::string title_of(const data::DebianPackage& package, const DataConfig& config) {
  const std::string_view text = package.description;
  const auto end = std::min(text.find('\n'), text.size());
  std::vector<std::string_view> parts;
  for (const auto& column : config.title_columns) {
    parts.push_back(column == "title" ? text.substr(0, end)
                                      : text.substr(std::min(end + 1, text.size())));
  }
  return join_words(parts);
}

// The names in "libc6 (>= 2.34), perl:any | perl-base".
std::vector<std::string_view> dependencies(std::string_view field) {
  std::vector<std::string_view> names;
  data::split_cells(field, ',', names);
  for (auto& name : names) {
    name.remove_prefix(std::min(name.find_first_not_of(' '), name.size()));
    name = name.substr(0, name.find_first_of(" |([:<"));
  }
  std::erase(names, "");
  return names;
}

template <class Use>
void for_each_package(const std::filesystem::path& file, const DataConfig& config, const Use& use) {
  data::DebianIndex index(file, config.encoding);
  for (data::DebianPackage package; index.next(package);) {
    if (!package.name.empty()) use(package);
  }
}

class DependencyReader {
 public:
  DependencyReader(const DataConfig& config, const ItemTable& items)
      : config_(config), items_(items), seen_(static_cast<std::size_t>(items.size())) {}

  // The first paragraph of a name counts, as in the table.
  void add(const data::DebianPackage& package, ImpressionLog& log) {
    const auto own = items_.find(package.name);
    if (seen_[static_cast<std::size_t>(own)]) return;
    seen_[static_cast<std::size_t>(own)] = true;
    std::vector<std::int32_t> clicks;
    std::unordered_set<std::int32_t> clicked;
    for (const auto name : dependencies(package.depends)) {
      const auto number = items_.find(name);
      const bool known = number != ItemTable::kUnknown;
      if (!known) log.count_unknown(1, 0);
      if (!known || number == own) continue;
      if (clicked.insert(number).second) clicks.push_back(number);
    }
    if (!clicks.empty()) add_impressions(package, own, clicks, log);
  }

 private:
  void add_impressions(const data::DebianPackage& package, std::int32_t own,
                       std::vector<std::int32_t> clicks, ImpressionLog& log) {
    const auto count = static_cast<std::int32_t>(clicks.size());
    auto met = clicks;
    met.push_back(own);
    unmet_.begin_user(package.name, met);
    // The list is written twice, so that each dependency's wrapped-around history is one range.
    clicks.insert(clicks.end(), clicks.begin(), clicks.begin() + count);
    const auto ring = log.add_history(clicks);
    const auto kept = std::min(count - 1, static_cast<std::int32_t>(config_.history));
    const auto salt = base::mix64(static_cast<std::uint64_t>(config_.sampling_seed));
    const auto time = static_cast<double>(base::mix64(salt ^ base::fnv1a(package.group())) >> 1);
    for (std::int32_t i = 0; i < count; ++i) {
      const auto id = package.name + ":" + items_.id(clicks[static_cast<std::size_t>(i)]);
      log.add({.id = id,
               .user = own,
               .time = time,
               .history = {},
               .candidates = unmet_.around(clicks[static_cast<std::size_t>(i)])},
              {.first = ring.first + i + count - kept, .count = kept});
    }
  }

  const DataConfig& config_;
  const ItemTable& items_;
  std::vector<bool> seen_;
  UnmetItems unmet_{items_.size() - 1, config_.sampled_negatives, config_.sampling_seed};
};

}  // namespace

void read_debian_items(const std::filesystem::path& index, const DataConfig& config,
                       ItemTable& items) {
  check_columns(config);
  bool any = false;
  for_each_package(index, config, [&](const data::DebianPackage& package) {
    any = true;
    items.add(
        {.id = package.name, .title = title_of(package, config), .category = package.section});
  });
  if (!any) {
    throw std::invalid_argument(index.string() +
                                ": contains no packages, expected paragraphs that begin with "
                                "\"Package:\", as in Debian's Packages");
  }
}

ClickSource read_debian_clicks(const DataConfig& config) {
  ClickSource source;
  auto& [train, validation, test] = source.parts;
  const std::array parts = {std::pair{&config.train, &train},
                            std::pair{&config.validation, &validation},
                            std::pair{&config.test, &test}};
  for (const auto& [files, log] : parts) {
    for (const auto& file : *files) read_debian_items(file, config, source.items);
    if (log == &train) source.training_items = source.items.size() - 1;
  }
  DependencyReader reader(config, source.items);
  for (const auto& [files, log] : parts) {
    for (const auto& file : *files) {
      for_each_package(file, config, [&, to = log](const data::DebianPackage& package) {
        reader.add(package, *to);
      });
    }
    if (files->empty() || log->size() > 0) continue;
    throw std::invalid_argument(files->front() +
                                ": none of its new packages (those not in earlier parts) depends "
                                "on a known package; give another file");
  }
  return source;
}

}  // namespace fastformer::recommendation

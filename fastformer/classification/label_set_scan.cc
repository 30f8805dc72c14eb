#include "fastformer/classification/label_set_scan.h"

#include <algorithm>
#include <cstddef>
#include <set>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

namespace fastformer::classification {
namespace {

// Labels, and those of each row.
struct LabelRows : LabelCounts {
  std::vector<std::vector<std::int32_t>> of_rows;
  std::vector<std::uint64_t> groups;
};

LabelRows read_label_rows(const ExampleSources& sources) {
  LabelRows found;
  sources.train([&](Example& example) {
    check_labels(example, /*several=*/true);
    auto& ids = found.of_rows.emplace_back();
    for (const auto& label : example.labels) ids.push_back(found.add(label));
    found.groups.push_back(data::group_key(example.group, std::ssize(found.groups)));
  });
  return found;
}

// The rarest label of a document stands for all of them, so that each part has its share of the
// rare labels.
std::vector<data::Part> parts_of(const LabelRows& found, const DataConfig& config) {
  std::vector<data::SplitRow> rows;
  for (std::size_t i = 0; i < found.of_rows.size(); ++i) {
    const auto& ids = found.of_rows[i];
    const auto rarest = std::min_element(ids.begin(), ids.end(), [&](auto a, auto b) {
      return found.counts[static_cast<std::size_t>(a)] < found.counts[static_cast<std::size_t>(b)];
    });
    const auto none = static_cast<std::int32_t>(found.labels.size());
    rows.push_back({found.groups[i], rarest == ids.end() ? none : *rarest});
  }
  return data::assign_parts(rows, {.validation_fraction = config.validation_fraction,
                                   .test_fraction = config.test_fraction,
                                   .stratify = config.stratify,
                                   .seed = static_cast<std::uint64_t>(config.split_seed)});
}

// `known` labels come first and are kept, whatever the number of their documents.
void choose_labels(const std::string& source, const LabelRows& found, const DataConfig& config,
                   const std::vector<std::string>& known, DatasetScan& scan) {
  const std::set<std::string> kept(known.begin(), known.end());
  std::vector<std::int64_t> counts(found.labels.size());
  for (std::size_t i = 0; i < found.of_rows.size(); ++i) {
    if (scan.parts[i] != data::Part::kTrain) continue;
    for (const auto id : found.of_rows[i]) ++counts[static_cast<std::size_t>(id)];
  }
  for (std::size_t i = 0; i < found.labels.size(); ++i) {
    scan.label_ids[found.labels[i]] = -1;
    if (kept.contains(found.labels[i])) continue;
    if (counts[i] >= config.minimum_class_count) {
      scan.labels.push_back(found.labels[i]);
    } else {
      ++scan.dropped_classes;
    }
  }
  sort_labels(scan.labels);
  scan.labels.insert(scan.labels.begin(), known.begin(), known.end());
  if (scan.labels.empty()) {
    throw std::invalid_argument(
        source + ": " +
        (found.labels.empty()
             ? "no row has a label; check data.label_column or data.label_columns"
             : "none of its " + std::to_string(found.labels.size()) +
                   " labels has data.minimum_class_count = " +
                   std::to_string(config.minimum_class_count) + " training documents; lower it"));
  }
  for (std::size_t i = 0; i < scan.labels.size(); ++i) {
    scan.label_ids[scan.labels[i]] = static_cast<std::int32_t>(i);
  }
}

// Labels that no training row has cannot be learned: they are dropped as rare ones are.
void read_held_out_labels(const ExampleSource& source, std::set<std::string>& unknown,
                          DatasetScan& scan) {
  source([&](Example& example) {
    check_labels(example, /*several=*/true);
    for (const auto& label : example.labels) {
      if (scan.label_ids.try_emplace(label, -1).second) unknown.insert(label);
    }
  });
}

void add_notices(const std::string& source, const LabelRows& found,
                 const std::set<std::string>& unknown, DatasetScan& scan) {
  if (!unknown.empty()) {
    scan.notices.push_back(
        "the validation and test rows have labels that no training row has, "
        "which are ignored: " +
        list_labels({unknown.begin(), unknown.end()}));
  }
  const bool one_each =
      std::ranges::all_of(found.of_rows, [](const auto& ids) { return ids.size() == 1; });
  if (one_each && scan.labels.size() > 1) {
    scan.notices.push_back(source +
                           ": each row has one label; classes that exclude each other are learned "
                           "better with data.multi_label = false and without label_separator and "
                           "label_columns");
  }
}

}  // namespace

DatasetScan scan_label_sets(const ExampleSources& sources, const DataConfig& config,
                            const std::vector<std::string>& known) {
  const LabelRows found = read_label_rows(sources);
  DatasetScan result;
  result.several_labels = true;
  result.parts = parts_of(found, config);
  choose_labels(sources.name, found, config, known, result);
  std::set<std::string> unknown;
  read_held_out_labels(sources.validation, unknown, result);
  read_held_out_labels(sources.test, unknown, result);
  if (sources.notices) result.notices = *sources.notices;
  add_notices(sources.name, found, unknown, result);
  return result;
}

}  // namespace fastformer::classification

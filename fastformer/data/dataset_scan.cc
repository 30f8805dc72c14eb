#include "fastformer/data/dataset_scan.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <stdexcept>
#include <utility>

#include "fastformer/data/reader.h"

namespace fastformer::data {
namespace {

std::optional<double> as_number(const std::string& text) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end || !std::isfinite(number)) return std::nullopt;
  return number;
}

// Labels in the order they appear, and the rows that carry them.
struct Rows {
  std::vector<std::string> labels;
  std::vector<std::int64_t> counts;
  std::unordered_map<std::string, std::int32_t> ids;
  std::vector<SplitRow> rows;
};

Rows read_training_rows(const DataConfig& config) {
  Rows found;
  for_each_example(config, config.train, [&](Example& example) {
    check_label(example);
    const auto next = static_cast<std::int32_t>(found.labels.size());
    const auto [entry, inserted] = found.ids.try_emplace(example.label, next);
    if (inserted) {
      found.labels.push_back(example.label);
      found.counts.push_back(0);
    }
    ++found.counts[static_cast<std::size_t>(entry->second)];
    const auto row = static_cast<std::int64_t>(found.rows.size());
    found.rows.push_back({group_key(example.group, row), entry->second});
  });
  return found;
}

void check_class_count(const Rows& found, const DatasetScan& scan, const DataConfig& config) {
  if (scan.labels.size() >= 2) return;
  if (found.labels.size() < 2) {
    throw std::invalid_argument(config.train.front() + ": all " +
                                std::to_string(found.rows.size()) + " rows have the label '" +
                                found.labels.front() +
                                "', but a classifier needs at least two; check data.label_column");
  }
  throw std::invalid_argument(
      config.train.front() + ": only " + std::to_string(scan.labels.size()) + " of " +
      std::to_string(found.labels.size()) + " classes have data.minimum_class_count = " +
      std::to_string(config.minimum_class_count) + " examples, at least two are needed; lower it");
}

DatasetScan choose_classes(const Rows& found, const DataConfig& config) {
  DatasetScan scan;
  for (std::size_t i = 0; i < found.labels.size(); ++i) {
    if (found.counts[i] >= config.minimum_class_count) {
      scan.labels.push_back(found.labels[i]);
    } else {
      ++scan.dropped_classes;
      scan.dropped_rows += found.counts[i];
    }
  }
  check_class_count(found, scan, config);
  sort_labels(scan.labels);
  for (const auto& label : found.labels) scan.label_ids[label] = -1;
  for (std::size_t i = 0; i < scan.labels.size(); ++i) {
    scan.label_ids[scan.labels[i]] = static_cast<std::int32_t>(i);
  }
  return scan;
}

void divide_training_rows(Rows& found, const DataConfig& config, DatasetScan& scan) {
  std::vector<std::int32_t> kept(found.labels.size());
  for (std::size_t i = 0; i < kept.size(); ++i) kept[i] = scan.label_ids.at(found.labels[i]);
  for (auto& row : found.rows) row.label = kept[static_cast<std::size_t>(row.label)];
  scan.parts = assign_parts(found.rows, {.validation_fraction = config.validation_fraction,
                                         .test_fraction = config.test_fraction,
                                         .stratify = config.stratify,
                                         .seed = static_cast<std::uint64_t>(config.split_seed)});
  std::vector<bool> trained(scan.labels.size());
  for (std::size_t i = 0; i < found.rows.size(); ++i) {
    if (scan.parts[i] == Part::kTrain) {
      trained[static_cast<std::size_t>(found.rows[i].label)] = true;
    }
  }
  const auto missing = std::find(trained.begin(), trained.end(), false);
  if (missing != trained.end()) {
    throw std::invalid_argument(
        "after the split no training row has the label '" +
        scan.labels[static_cast<std::size_t>(missing - trained.begin())] +
        "'; raise data.minimum_class_count, lower the fractions or change data.split_seed");
  }
}

void check_held_out_labels(const DataConfig& config, const std::vector<std::string>& files,
                           DatasetScan& scan) {
  for_each_example(config, files, [&](Example& example) {
    check_label(example);
    const auto found = scan.label_ids.find(example.label);
    if (found == scan.label_ids.end()) {
      throw std::invalid_argument(example.where + ": the label '" + example.label +
                                  "' is in no training row; the training labels are " +
                                  list_labels(scan.labels));
    }
    if (found->second < 0) ++scan.dropped_rows;
  });
}

}  // namespace

void sort_labels(std::vector<std::string>& labels) {
  std::vector<std::pair<double, std::string>> keyed;
  bool numbers = true;
  for (const auto& label : labels) {
    const auto number = as_number(label);
    numbers = numbers && number.has_value();
    keyed.emplace_back(number.value_or(0), label);
  }
  if (!numbers) {
    for (auto& entry : keyed) entry.first = 0;
  }
  std::sort(keyed.begin(), keyed.end());
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = std::move(keyed[i].second);
}

void for_each_example(const DataConfig& config, const std::vector<std::string>& files,
                      const std::function<void(Example&)>& visit) {
  Example example;
  for (const auto& file : files) {
    const auto reader = open_reader(config, file);
    while (reader->next(example)) visit(example);
  }
}

void check_label(const Example& example) {
  if (example.label.empty()) {
    throw std::invalid_argument(example.where +
                                ": has no label; complete or remove the row, or check "
                                "data.label_column");
  }
}

std::string list_labels(const std::vector<std::string>& labels) {
  constexpr std::size_t kShown = 20;
  std::string text;
  for (std::size_t i = 0; i < std::min(labels.size(), kShown); ++i) {
    text += (i > 0 ? ", '" : "'") + labels[i] + "'";
  }
  if (labels.size() > kShown) {
    text += " and " + std::to_string(labels.size() - kShown) + " more";
  }
  return text;
}

DatasetScan scan_sources(const DataConfig& config) {
  Rows found = read_training_rows(config);
  DatasetScan scan = choose_classes(found, config);
  divide_training_rows(found, config, scan);
  check_held_out_labels(config, config.validation, scan);
  check_held_out_labels(config.for_test(), config.test, scan);
  return scan;
}

}  // namespace fastformer::data

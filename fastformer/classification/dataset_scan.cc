#include "fastformer/classification/dataset_scan.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <set>
#include <stdexcept>
#include <utility>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/printable.h"
#include "fastformer/classification/label_set_scan.h"
#include "fastformer/classification/readers/reader.h"

namespace fastformer::classification {
namespace {

std::optional<double> as_number(const std::string& text) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end || !std::isfinite(number)) return std::nullopt;
  return number;
}

// Labels, and the rows that carry them.
struct Rows : LabelCounts {
  std::vector<data::SplitRow> rows;
};

Rows read_training_rows(const ExampleSources& sources) {
  Rows found;
  sources.train([&](Example& example) {
    check_labels(example, /*several=*/false);
    const auto row = static_cast<std::int64_t>(found.rows.size());
    found.rows.push_back({data::group_key(example.group, row), found.add(example.label)});
  });
  return found;
}

// Numbers that are measured and not chosen from a few: many of them, or many with a fraction.
bool is_regression_target(const Rows& found) {
  constexpr std::size_t kFewFractions = 20, kFewNumbers = 50;
  if (found.labels.size() <= kFewFractions) return false;
  std::size_t fractions = 0;
  for (const auto& label : found.labels) {
    const auto number = as_number(label);
    if (!number) return false;
    if (std::trunc(*number) != *number) ++fractions;
  }
  return fractions > kFewFractions ||
         (found.labels.size() > kFewNumbers && 5 * found.labels.size() > found.rows.size());
}

void check_class_count(const std::string& source, const Rows& found, const DatasetScan& scan,
                       const DataConfig& config) {
  if (scan.labels.size() >= 2) return;
  if (found.labels.size() < 2) {
    throw std::invalid_argument(source + ": all " + std::to_string(found.rows.size()) +
                                " rows have the label '" + base::excerpt(found.labels.front()) +
                                "', but a classifier needs at least two; check data.label_column");
  }
  throw std::invalid_argument(
      source + ": only " + std::to_string(scan.labels.size()) + " of " +
      std::to_string(found.labels.size()) + " classes have at least data.minimum_class_count = " +
      std::to_string(config.minimum_class_count) +
      " examples, but two classes are needed; lower data.minimum_class_count");
}

// `known` labels are kept, whatever the number of their rows.
DatasetScan choose_classes(const std::string& source, const Rows& found, const DataConfig& config,
                           const std::vector<std::string>& known) {
  DatasetScan scan;
  const std::set<std::string> kept(known.begin(), known.end());
  for (std::size_t i = 0; i < found.labels.size(); ++i) {
    if (kept.contains(found.labels[i])) continue;
    if (found.counts[i] >= config.minimum_class_count) {
      scan.labels.push_back(found.labels[i]);
    } else {
      ++scan.dropped_classes;
      scan.dropped_rows += found.counts[i];
    }
  }
  sort_labels(scan.labels);
  scan.labels.insert(scan.labels.begin(), known.begin(), known.end());
  check_class_count(source, found, scan, config);
  for (const auto& label : found.labels) scan.label_ids[label] = -1;
  for (std::size_t i = 0; i < scan.labels.size(); ++i) {
    scan.label_ids[scan.labels[i]] = static_cast<std::int32_t>(i);
  }
  return scan;
}

// `known`: so many labels at the beginning need no row.
void divide_training_rows(Rows& found, const DataConfig& config, std::size_t known,
                          DatasetScan& scan) {
  std::vector<std::int32_t> kept(found.labels.size());
  for (std::size_t i = 0; i < kept.size(); ++i) kept[i] = scan.label_ids.at(found.labels[i]);
  for (auto& row : found.rows) row.label = kept[static_cast<std::size_t>(row.label)];
  scan.parts =
      data::assign_parts(found.rows, {.validation_fraction = config.validation_fraction,
                                      .test_fraction = config.test_fraction,
                                      .stratify = config.stratify,
                                      .seed = static_cast<std::uint64_t>(config.split_seed)});
  std::vector<bool> trained(scan.labels.size());
  std::fill_n(trained.begin(), known, true);
  for (std::size_t i = 0; i < found.rows.size(); ++i) {
    if (scan.parts[i] == data::Part::kTrain) {
      trained[static_cast<std::size_t>(found.rows[i].label)] = true;
    }
  }
  const auto missing = std::find(trained.begin(), trained.end(), false);
  if (missing != trained.end()) {
    throw std::invalid_argument(
        "after the split no training row has the label '" +
        base::excerpt(scan.labels[static_cast<std::size_t>(missing - trained.begin())]) +
        "'; raise data.minimum_class_count, lower the fractions, or change data.split_seed");
  }
}

void check_held_out_labels(const ExampleSource& source, DatasetScan& scan) {
  source([&](Example& example) {
    check_labels(example, /*several=*/false);
    const auto found = scan.label_ids.find(example.label);
    if (found == scan.label_ids.end()) {
      throw std::invalid_argument(
          example.where + ": the label '" + base::excerpt(example.label) +
          "' does not occur in the training part; the training labels are " +
          list_labels(scan.labels));
    }
    if (found->second < 0) ++scan.dropped_rows;
  });
}

[[noreturn]] void throw_changed() {
  throw std::runtime_error("the training files changed while they were read; start again");
}

// White space as single blanks, none at either end.
std::string in_one_line(std::string_view text) {
  std::string line;
  bool pending = false;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
    if (!blank && pending && !line.empty()) line += ' ';
    if (!blank) line += c;
    pending = blank;
  }
  return line;
}

void write_row(std::ostream& out, const Example& example, const DataConfig& config) {
  auto label = example.label;
  if (config.several_labels()) {
    label = config.joined(example.labels);
    for (const auto& one : example.labels) {
      if (one.find(config.separator()) == std::string::npos) continue;
      throw std::invalid_argument(example.where + ": the label '" + base::excerpt(one) +
                                  "' contains what stands between labels; set "
                                  "data.label_separator to a text that is in no label");
    }
  }
  out << in_one_line(label) << '\t' << in_one_line(example.text) << '\n';
}

}  // namespace

std::int32_t LabelCounts::add(const std::string& label) {
  const auto [entry, inserted] = ids.try_emplace(label, static_cast<std::int32_t>(labels.size()));
  if (inserted) {
    labels.push_back(label);
    counts.push_back(0);
  }
  ++counts[static_cast<std::size_t>(entry->second)];
  return entry->second;
}

void check_labels(const Example& example, bool several) {
  if (!several && example.label.empty()) {
    throw std::invalid_argument(example.where +
                                ": has no label; complete or remove the row, or check "
                                "data.label_column");
  }
  const auto check = [&](const std::string& label) {
    if (!base::has_control_characters(label)) return;
    throw std::invalid_argument(example.where + ": the label '" + base::excerpt(label) +
                                "' has a line break or another control character; remove it, or "
                                "check data.label_column");
  };
  check(example.label);
  for (const auto& label : example.labels) check(label);
}

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

std::string list_labels(const std::vector<std::string>& labels) {
  constexpr std::size_t kShown = 20;
  std::string text;
  for (std::size_t i = 0; i < std::min(labels.size(), kShown); ++i) {
    text += (i > 0 ? ", '" : "'") + base::excerpt(labels[i]) + "'";
  }
  if (labels.size() > kShown) {
    text += " and " + std::to_string(labels.size() - kShown) + " more";
  }
  return text;
}

ExampleSources file_sources(const DataConfig& config) {
  auto notices = std::make_shared<std::vector<std::string>>();
  const auto of = [&](const DataConfig& read_by, const std::vector<std::string>& files) {
    return [read_by, files, notices](const std::function<void(Example&)>& visit) {
      for_each_example(read_by, files, visit, notices.get());
    };
  };
  return {.name = config.train.empty() ? std::string() : config.train.front(),
          .train = of(config, config.train),
          .validation = of(config, config.validation),
          .test = of(config.for_test(), config.test),
          .notices = notices,
          .unlabelled = of(config.without_labels(), config.unlabelled)};
}

std::optional<std::vector<std::int32_t>> DatasetScan::ids_of(const Example& example) const {
  std::vector<std::int32_t> ids;
  const auto add = [&](const std::string& label) {
    const auto found = label_ids.find(label);
    if (found == label_ids.end()) throw_changed();
    if (found->second >= 0) ids.push_back(found->second);
  };
  if (!several_labels) {
    add(example.label);
    if (ids.empty()) return std::nullopt;
    return ids;
  }
  for (const auto& label : example.labels) add(label);
  std::sort(ids.begin(), ids.end());
  return ids;
}

void DatasetScan::for_each_training_row(
    const ExampleSources& sources, const std::function<void(Example&, data::Part)>& visit) const {
  std::size_t row = 0;
  sources.train([&](Example& example) {
    if (row == parts.size()) throw_changed();
    visit(example, parts[row++]);
  });
  if (row != parts.size()) throw_changed();
}

DatasetScan scan(const ExampleSources& sources, const DataConfig& config,
                 const std::vector<std::string>& known) {
  if (config.several_labels()) return scan_label_sets(sources, config, known);
  Rows found = read_training_rows(sources);
  const bool regression = is_regression_target(found);
  DatasetScan result = choose_classes(sources.name, found, config, known);
  divide_training_rows(found, config, known.size(), result);
  check_held_out_labels(sources.validation, result);
  check_held_out_labels(sources.test, result);
  if (sources.notices) result.notices = *sources.notices;
  if (regression) {
    result.notices.push_back(
        sources.name + ": its " + std::to_string(found.labels.size()) +
        " different labels are all numbers, for " + std::to_string(found.rows.size()) +
        " rows: this looks like a regression, which is not supported; each number becomes a class");
  }
  return result;
}

void export_parts(const DataConfig& config, const std::filesystem::path& folder) {
  const auto sources = file_sources(config);
  const auto found = scan(sources, config);
  base::create_folder(folder);
  const auto write = [&](const char* name, data::Part part, const ExampleSource& own) {
    base::write_file_atomically(folder / name, [&](std::ostream& out) {
      const auto write_kept = [&](Example& example) {
        if (found.ids_of(example)) write_row(out, example, config);
      };
      found.for_each_training_row(sources, [&](Example& example, data::Part of_row) {
        if (of_row == part) write_kept(example);
      });
      own(write_kept);
    });
  };
  write("train.tsv", data::Part::kTrain, [](const auto&) {});
  write("validation.tsv", data::Part::kValidation, sources.validation);
  write("test.tsv", data::Part::kTest, sources.test);
}

}  // namespace fastformer::classification

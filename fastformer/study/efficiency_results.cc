#include "fastformer/study/efficiency_results.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <sstream>
#include <stdexcept>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/format.h"

namespace fastformer::study {

namespace {

constexpr double kNotPublished = std::numeric_limits<double>::quiet_NaN();
constexpr std::array<std::int64_t, 5> kInferenceLengths = {128, 512, 2048, 8192, 65536};
constexpr std::array<std::int64_t, 3> kTrainingLengths = {512, 8192, 65536};

struct Row {
  const char* mixer;
  const char* complexity;
  std::array<double, 5> inference;
  std::array<double, 3> training;
};

constexpr std::array kRows = {
    Row{"softmax",
        "N² d",
        {122, 604, kNotPublished, kNotPublished, kNotPublished},
        {1230, kNotPublished, kNotPublished}},
    Row{"sliding_window", "N K d", {33.9, 33.9, 35.1, 37.7, 104}, {95, 182, 991}},
    Row{"block_sparse", "N K d", {78.6, 78.8, 79.9, 86.1, 229}, {151, 293, 1460}},
    Row{"low_rank", "N d / ε²", {59.4, 57.4, 58.8, 63.2, 202}, {173, 356, 2190}},
    Row{"linear", "N d²", {74.8, 74.9, 77.8, 90.5, 164}, {186, 393, 2020}},
    Row{"pooling", "N d w", {545, 559, 566, 606, 2570}, {1700, 3540, 20900}},
    Row{"additive", "N d", {13.1, 13.2, 13.9, 15.5, 57.4}, {37.1, 79, 472}},
};

const Row* row_of(const std::string& mixer) {
  for (const auto& row : kRows) {
    if (mixer == row.mixer) return &row;
  }
  return nullptr;
}

template <std::size_t size>
double at_length(const std::array<std::int64_t, size>& lengths,
                 const std::array<double, size>& times, std::int64_t length) {
  for (std::size_t i = 0; i < size; ++i) {
    if (lengths[i] == length) return times[i];
  }
  return kNotPublished;
}

}  // namespace

std::string paper_complexity(const std::string& mixer) {
  const auto* row = row_of(mixer);
  return row == nullptr ? "" : row->complexity;
}

double paper_time(const std::string& mixer, const std::string& pass, std::int64_t length) {
  const auto* row = row_of(mixer);
  if (row == nullptr) return kNotPublished;
  return pass == "training" ? at_length(kTrainingLengths, row->training, length)
                            : at_length(kInferenceLengths, row->inference, length);
}

std::string digits(double value) {
  if (!std::isfinite(value)) return "";
  const int behind = value < 10 ? 2 : value < 100 ? 1 : 0;
  return base::format("%.*f", behind, value);
}

namespace {

constexpr const char* kHeader =
    "mixer,pass,length,precision,threads,milliseconds_per_layer,low,high,peak_bytes,operations,"
    "status";
constexpr std::size_t kColumns = 11;

std::string csv_row(const EfficiencyCell& cell) {
  return base::format(
      "%s,%s,%lld,%s,%lld,%.6g,%.6g,%.6g,%lld,%.6g,%s\n", cell.mixer.c_str(), cell.pass.c_str(),
      static_cast<long long>(cell.length), cell.precision.c_str(),
      static_cast<long long>(cell.threads), cell.milliseconds, cell.low, cell.high,
      static_cast<long long>(cell.peak_bytes), cell.operations, cell.status.c_str());
}

// The status comes last and may hold commas.
std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> fields;
  std::size_t begin = 0;
  while (fields.size() + 1 < kColumns) {
    const auto comma = line.find(',', begin);
    if (comma == std::string::npos) break;
    fields.push_back(line.substr(begin, comma - begin));
    begin = comma + 1;
  }
  fields.push_back(line.substr(begin));
  return fields;
}

EfficiencyCell parse_row(const std::string& line) {
  const auto f = split(line);
  if (f.size() != kColumns) throw std::invalid_argument("columns");
  return {.mixer = f[0],
          .pass = f[1],
          .length = std::stoll(f[2]),
          .precision = f[3],
          .threads = std::stoll(f[4]),
          .milliseconds = std::stod(f[5]),
          .low = std::stod(f[6]),
          .high = std::stod(f[7]),
          .peak_bytes = std::stoll(f[8]),
          .operations = std::stod(f[9]),
          .status = f[10]};
}

const EfficiencyCell* find(const std::vector<EfficiencyCell>& cells, const std::string& mixer,
                           const std::string& pass, std::int64_t length) {
  const auto found = std::find_if(cells.begin(), cells.end(), [&](const auto& cell) {
    return cell.mixer == mixer && cell.pass == pass && cell.length == length;
  });
  return found == cells.end() ? nullptr : &*found;
}

// Values in the order in which they first appear.
template <class Value, class Read>
std::vector<Value> distinct(const std::vector<EfficiencyCell>& cells, const Read& read) {
  std::vector<Value> values;
  for (const auto& cell : cells) {
    if (std::find(values.begin(), values.end(), read(cell)) == values.end()) {
      values.push_back(read(cell));
    }
  }
  return values;
}

std::string time_of(const EfficiencyCell* cell) {
  if (cell == nullptr) return "";
  if (!cell->measured()) return "skipped";
  return digits(cell->milliseconds) + (cell->measured_once() ? " (one pass)" : "");
}

double ratio_of(const EfficiencyCell* cell, const EfficiencyCell* additive) {
  const bool both =
      cell != nullptr && additive != nullptr && cell->measured() && additive->measured();
  return both ? cell->milliseconds / additive->milliseconds
              : std::numeric_limits<double>::quiet_NaN();
}

template <class Column>
std::string table_row(const std::string& first, const std::vector<std::int64_t>& lengths,
                      const Column& column) {
  auto row = base::format("| %s |", first.c_str());
  for (const auto length : lengths) row += base::format(" %s |", column(length).c_str());
  return row;
}

std::string pass_table(const std::vector<EfficiencyCell>& cells, const std::string& pass,
                       const std::vector<std::int64_t>& lengths) {
  const auto mixers = distinct<std::string>(cells, [](const auto& cell) { return cell.mixer; });
  std::string text = table_row(
      "mixer", lengths, [](auto n) { return base::format("n = %lld", static_cast<long long>(n)); });
  text += " cost of a sequence grows as | the paper |\n|---|";
  for (std::size_t i = 0; i < lengths.size() + 2; ++i) text += "---|";
  text += "\n";
  for (const auto& mixer : mixers) {
    text += table_row(mixer, lengths, [&](auto n) { return time_of(find(cells, mixer, pass, n)); });
    const double exponent = cost_exponent(cells, mixer, pass, 512);
    text += (std::isfinite(exponent) ? base::format(" n^%.2f |", exponent) : std::string(" |"));
    text += base::format(" %s |\n", paper_complexity(mixer).c_str());
  }
  for (const auto& mixer : mixers) {
    if (mixer == "additive") continue;
    text += table_row(mixer + " / additive, here", lengths, [&](auto n) {
      return digits(ratio_of(find(cells, mixer, pass, n), find(cells, "additive", pass, n)));
    });
    text += " | |\n";
    text += table_row(mixer + " / Fastformer, paper", lengths, [&](auto n) {
      return digits(paper_time(mixer, pass, n) / paper_time("additive", pass, n));
    });
    text += " | |\n";
  }
  return text;
}

}  // namespace

void write_efficiency(const std::filesystem::path& path, const std::vector<EfficiencyCell>& cells) {
  base::write_file_atomically(path, [&](std::ostream& out) {
    out << kHeader << '\n';
    for (const auto& cell : cells) out << csv_row(cell);
  });
}

std::vector<EfficiencyCell> read_efficiency(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) return {};
  std::istringstream file(base::read_file(path));
  std::vector<EfficiencyCell> cells;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    try {
      if (number > 1) cells.push_back(parse_row(line));
      if (number == 1 && line != kHeader) throw std::invalid_argument("header");
    } catch (const std::logic_error&) {
      throw std::invalid_argument(path.string() + ", line " + std::to_string(number) +
                                  ": expected " + (number == 1 ? "the header " : "the columns ") +
                                  kHeader + "; move the file elsewhere to measure again");
    }
  }
  return cells;
}

double cost_exponent(const std::vector<EfficiencyCell>& cells, const std::string& mixer,
                     const std::string& pass, std::int64_t least) {
  double count = 0, x = 0, y = 0, xx = 0, xy = 0;
  for (const auto& cell : cells) {
    if (cell.mixer != mixer || cell.pass != pass || cell.length < least || !cell.measured()) {
      continue;
    }
    const double length = std::log(static_cast<double>(cell.length));
    const double time = std::log(cell.milliseconds);
    count += 1;
    x += length;
    y += time;
    xx += length * length;
    xy += length * time;
  }
  if (count < 2) return std::numeric_limits<double>::quiet_NaN();
  return 1 + (count * xy - x * y) / (count * xx - x * x);
}

std::string efficiency_markdown(const std::vector<EfficiencyCell>& cells) {
  const auto lengths = distinct<std::int64_t>(cells, [](const auto& cell) { return cell.length; });
  std::string text;
  for (const auto& pass : distinct<std::string>(cells, [](const auto& c) { return c.pass; })) {
    text += base::format("## %s, milliseconds per layer\n\n%s\n", pass.c_str(),
                         pass_table(cells, pass, lengths).c_str());
  }
  return text;
}

}  // namespace fastformer::study

#include "fastformer/metrics/item_results.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/format.h"

namespace fastformer::metrics {

namespace {

constexpr std::string_view kItemColumn = "item";
constexpr std::size_t kHashDigits = 16;
constexpr int kHexadecimal = 16;

// The shortest text that reads back as the same number.
void append_number(std::string& text, double number) {
  char digits[32];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), number).ptr;
  text.append(digits, end);
}

// The cells of a line, one after another.
class LineCells {
 public:
  explicit LineCells(std::string_view line) : rest_(line) {}

  bool at_end() const { return ended_; }
  std::string_view next() {
    const auto cell = rest_.substr(0, rest_.find(','));
    ended_ = cell.size() == rest_.size();
    rest_.remove_prefix(ended_ ? cell.size() : cell.size() + 1);
    return cell;
  }

 private:
  std::string_view rest_;
  bool ended_ = false;
};

bool take_hash(std::string_view cell, std::uint64_t& hash) {
  const auto* const end = cell.data() + cell.size();
  const auto result = std::from_chars(cell.data(), end, hash, kHexadecimal);
  return cell.size() == kHashDigits && result.ec == std::errc() && result.ptr == end;
}

bool take_score(std::string_view cell, double& score) {
  const auto* const end = cell.data() + cell.size();
  const auto result = std::from_chars(cell.data(), end, score);
  return result.ec == std::errc() && result.ptr == end && std::isfinite(score);
}

bool read_header(std::string_view line, ItemScores& items) {
  LineCells cells(line);
  if (cells.next() != kItemColumn) return false;
  while (!cells.at_end()) items.metrics.emplace_back(cells.next());
  return !items.metrics.empty();
}

bool read_row(std::string_view line, ItemScores& items) {
  LineCells cells(line);
  if (!take_hash(cells.next(), items.items.emplace_back())) return false;
  for (std::size_t m = 0; m < items.metrics.size(); ++m) {
    if (cells.at_end() || !take_score(cells.next(), items.scores.emplace_back())) return false;
  }
  return cells.at_end();
}

}  // namespace

void ItemScores::add(std::uint64_t item, const std::vector<double>& item_scores) {
  if (item_scores.size() != metrics.size()) {
    throw std::invalid_argument("ItemScores: got " + std::to_string(item_scores.size()) +
                                " scores of an item, expected one for each of " +
                                std::to_string(metrics.size()) + " metrics");
  }
  items.push_back(item);
  scores.insert(scores.end(), item_scores.begin(), item_scores.end());
}

std::vector<double> ItemScores::column(std::size_t metric) const {
  std::vector<double> column;
  for (std::size_t i = 0; i < items.size(); ++i) {
    column.push_back(scores[i * metrics.size() + metric]);
  }
  return column;
}

void write_item_scores(const std::filesystem::path& path, const ItemScores& items) {
  std::string text(kItemColumn);
  for (const auto& metric : items.metrics) text.append(",").append(metric);
  text += '\n';
  for (std::size_t i = 0; i < items.items.size(); ++i) {
    text += base::hexadecimal(items.items[i]);
    for (std::size_t m = 0; m < items.metrics.size(); ++m) {
      text += ',';
      append_number(text, items.scores[i * items.metrics.size() + m]);
    }
    text += '\n';
  }
  base::write_file_atomically(path, text);
}

ItemScores read_item_scores(const std::filesystem::path& path) {
  base::check_regular_file(path);
  const std::string content = base::read_file(path);
  ItemScores items;
  std::string_view rest = content;
  for (std::size_t number = 1; number == 1 || !rest.empty(); ++number) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (number == 1 ? read_header(line, items) : read_row(line, items)) continue;
    throw std::invalid_argument(
        path.string() + ":" + std::to_string(number) + ": expected " +
        (number == 1
             ? "a header such as item,auc,mrr"
             : "16 hexadecimal digits and " + std::to_string(items.metrics.size()) + " numbers") +
        "; delete the folder of the run and run it again");
  }
  if (items.items.empty()) {
    throw std::invalid_argument(
        path.string() + ": contains no items; delete the folder of the run and run it again");
  }
  return items;
}

namespace {

constexpr std::string_view kHeader =
    "label_number,predicted_number,row,label,predicted,probability";

// The name of a class as a cell of CSV in one line.
std::string name_cell(std::string_view name) {
  std::string cell = "\"";
  for (const char c : name) {
    if (c == '"') cell += '"';
    cell += c == '\n' || c == '\r' ? ' ' : c;
  }
  return cell.find_first_of(",\"", 1) == std::string::npos ? cell.substr(1) : cell + '"';
}

// Reads a number at the front of `text` and removes it.
bool take_number(std::string_view& text, std::int32_t& number) {
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  if (result.ec != std::errc() || number < 0) return false;
  text.remove_prefix(static_cast<std::size_t>(result.ptr - text.data()));
  return true;
}

bool take_comma(std::string_view& text) {
  if (!text.starts_with(',')) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

void write_class_predictions(const std::filesystem::path& path,
                             const ClassPredictions& predictions) {
  std::string text = std::string(kHeader) + "\n";
  for (std::size_t i = 0; i < predictions.labels.size(); ++i) {
    const auto label = predictions.labels[i], predicted = predictions.predicted[i];
    text += std::to_string(label) + "," + std::to_string(predicted);
    if (!predictions.rows.empty()) {
      const auto name = [&](std::int32_t number) {
        return name_cell(predictions.names[static_cast<std::size_t>(number)]);
      };
      text += "," + std::to_string(predictions.rows[i]) + "," + name(label) + "," +
              name(predicted) + base::format(",%.4f", predictions.probability[i]);
    }
    text += '\n';
  }
  base::write_file_atomically(path, text);
}

ClassPredictions read_class_predictions(const std::filesystem::path& path) {
  base::check_regular_file(path);
  const std::string content = base::read_file(path);
  ClassPredictions predictions;
  std::string_view rest = content;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    std::int32_t label = 0, predicted = 0;
    const bool good = number == 1 ? line == kHeader
                                  : take_number(line, label) && take_comma(line) &&
                                        take_number(line, predicted) &&
                                        (line.empty() || line.front() == ',');
    if (!good) {
      throw std::invalid_argument(
          path.string() + ":" + std::to_string(number) + ": expected " +
          (number == 1 ? "the header " + std::string(kHeader) : "two class numbers such as 3,1") +
          "; delete the folder of the run, so that it is run again");
    }
    if (number == 1) continue;
    predictions.labels.push_back(label);
    predictions.predicted.push_back(predicted);
  }
  return predictions;
}

}  // namespace fastformer::metrics

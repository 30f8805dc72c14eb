#include "fastformer/data/delimited_records.h"

#include <algorithm>
#include <span>

namespace fastformer::data {
namespace {

std::vector<std::string> first_lines(LineStream& lines) {
  constexpr std::size_t kMostLines = 200, kMostBytes = std::size_t{1} << 20;
  std::vector<std::string> first;
  std::size_t bytes = 0;
  for (std::string line; first.size() < kMostLines && bytes < kMostBytes && lines.next(line);) {
    bytes += line.size();
    first.push_back(line);
  }
  return first;
}

}  // namespace

DelimitedRecords::DelimitedRecords(const std::filesystem::path& file, char delimiter,
                                   const TextEncoding& encoding, const DialectConfig& config)
    : lines_(file, encoding),
      ahead_(first_lines(lines_)),
      detected_(detect_dialect(config, delimiter, ahead_, lines_.name())),
      parser_([this](std::string& line) { return next_line(line); }, detected_.dialect,
              lines_.name(), static_cast<std::int64_t>(detected_.skipped_lines)) {
  ahead_at_ = detected_.skipped_lines;
}

bool DelimitedRecords::next_line(std::string& line) {
  if (ahead_at_ == ahead_.size()) return lines_.next(line);
  line = ahead_[ahead_at_++];
  return true;
}

bool DelimitedRecords::next(std::vector<std::string>& cells) {
  do {
    if (!parser_.next(cells)) return false;
  } while (columns_ != 1 && cells.size() == 1 && parser_.line_is_empty());
  if (columns_ == 0) columns_ = cells.size();
  if (parser_.lines() > most_lines_) {
    most_lines_ = parser_.lines();
    longest_ = parser_.where();
  }
  return true;
}

std::vector<std::vector<std::string>> DelimitedRecords::sample() const {
  return parse_sample(std::span(ahead_).subspan(detected_.skipped_lines), detected_.dialect);
}

std::vector<std::string> DelimitedRecords::notices() const {
  std::vector<std::string> notices;
  if (!detected_.notice.empty()) notices.push_back(detected_.notice);
  constexpr std::int64_t kManyLines = 100;
  if (most_lines_ > kManyLines) {
    notices.push_back(
        longest_ + ": a quoted cell spans " + std::to_string(most_lines_) +
        " lines; if its opening quote is part of the text, double it or set data.quote = \"none\"");
  }
  if (const auto replaced = lines_.notice(); !replaced.empty()) notices.push_back(replaced);
  return notices;
}

RowWidth::RowWidth(const std::vector<std::string>& first_row, std::size_t used)
    : least_(first_row.size()) {
  while (least_ > used && first_row[least_ - 1].empty()) --least_;
  // Every row gets these cells: without a limit a first row of a million delimiters would make rows
  // of one byte as expensive as itself.
  constexpr std::size_t kMostEmpty = 100;
  most_ = std::min(first_row.size(), least_ + kMostEmpty);
}

bool RowWidth::fit(std::vector<std::string>& row) const {
  while (row.size() > most_ && row.back().empty()) row.pop_back();
  if (row.size() < least_ || row.size() > most_) return false;
  row.resize(most_);
  return true;
}

void split_cells(std::string_view line, char delimiter, std::vector<std::string_view>& cells) {
  cells.clear();
  for (std::size_t at = 0; at <= line.size();) {
    const std::size_t end = std::min(line.find(delimiter, at), line.size());
    cells.push_back(line.substr(at, end - at));
    at = end + 1;
  }
}

}  // namespace fastformer::data

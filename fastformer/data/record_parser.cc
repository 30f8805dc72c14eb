#include "fastformer/data/record_parser.h"

#include <algorithm>
#include <stdexcept>

#include "fastformer/data/bad_row.h"
#include "fastformer/data/line_stream.h"

namespace fastformer::data {
namespace {

// Each takes 32 bytes, though it may be empty.
constexpr std::size_t kMostCells = 1'000'000;

}  // namespace

bool RecordParser::read_line() {
  if (!next_line_(line_)) return false;
  ++line_at_;
  record_bytes_ += line_.size() + 1;
  return true;
}

bool RecordParser::next(std::vector<std::string>& cells) {
  record_bytes_ = 0;
  if (!read_line()) return false;
  first_line_ = line_at_;
  std::size_t count = 0, at = 0;
  while (true) {
    if (count == kMostCells) {
      throw std::invalid_argument(where(line_at_) + ": has more than " +
                                  std::to_string(kMostCells) +
                                  " cells; check the delimiter, or whether it is another file");
    }
    // The cells of the last record are written over, so that their memory serves again.
    if (count == cells.size()) cells.emplace_back();
    std::string& cell = cells[count++];
    cell.clear();
    const std::size_t quote = quote_at(at);
    at = quote != std::string::npos ? read_quoted(quote, cell) : read_plain(at, cell);
    if (at >= line_.size()) break;
    ++at;
  }
  cells.resize(count);
  return true;
}

std::size_t RecordParser::behind_blanks(std::size_t at) const {
  while (at < line_.size() && line_[at] == ' ' && dialect_.delimiter != ' ') ++at;
  return at;
}

// Where the quote stands that opens the cell at `at`; npos for a cell without quotes. Behind a
// blank a quote opens a cell only if what closes it ends the cell: he said "no", ...
std::size_t RecordParser::quote_at(std::size_t at) const {
  if (dialect_.quote == '\0') return std::string::npos;
  const std::size_t first = behind_blanks(at);
  if (first >= line_.size() || line_[first] != dialect_.quote) return std::string::npos;
  if (first == at) return first;
  for (auto close = line_.find(dialect_.quote, first + 1); close != std::string::npos;
       close = line_.find(dialect_.quote, close + 2)) {
    if (close + 1 < line_.size() && line_[close + 1] == dialect_.quote) continue;
    const std::size_t behind = behind_blanks(close + 1);
    return behind == line_.size() || line_[behind] == dialect_.delimiter ? first
                                                                         : std::string::npos;
  }
  return first;
}

std::size_t RecordParser::read_plain(std::size_t at, std::string& cell) const {
  const std::size_t end = std::min(line_.find(dialect_.delimiter, at), line_.size());
  cell.assign(line_, at, end - at);
  return end;
}

// Returns where the cell's delimiter stands in line_, which is a later line than the one given when
// the quotes hold line ends.
std::size_t RecordParser::read_quoted(std::size_t at, std::string& cell) {
  const std::int64_t opened = line_at_;
  const bool backslash = dialect_.escape == QuoteEscape::kBackslash;
  const char special[] = {dialect_.quote, '\\', '\0'};
  ++at;
  while (true) {
    const std::size_t mark =
        backslash ? line_.find_first_of(special, at) : line_.find(dialect_.quote, at);
    cell.append(line_, at, mark == std::string::npos ? mark : mark - at);
    if (record_bytes_ > kMaximumRecordBytes) {
      throw std::invalid_argument(
          where(opened) +
          ": the quote that opens here makes the record larger than 64 MB, the limit for a record; "
          "close it, or double it if it is part of the text");
    }
    if (mark == std::string::npos) {
      if (!read_line()) {
        throw std::invalid_argument(
            where(opened) +
            ": the quote that opens here is never closed; close it, or double it if it is part of "
            "the text, or set data.quote = \"none\"");
      }
      cell += '\n';
      at = 0;
    } else if (line_[mark] == '\\' && backslash) {
      const bool escapes =
          mark + 1 < line_.size() && (line_[mark + 1] == dialect_.quote || line_[mark + 1] == '\\');
      cell += escapes ? line_[mark + 1] : '\\';
      at = mark + (escapes ? 2 : 1);
    } else if (mark + 1 < line_.size() && line_[mark + 1] == dialect_.quote) {
      cell += dialect_.quote;
      at = mark + 2;
    } else {
      at = behind_blanks(mark + 1);
      if (at >= line_.size() || line_[at] == dialect_.delimiter) return at;
      throw BadRow(where(line_at_) +
                   ": text follows a closing quote; write a quote inside a quoted field twice "
                   "(\"\"), or as \\\" with data.quote_escape = \"backslash\", or set data.quote = "
                   "\"none\" if quotes are ordinary characters");
    }
  }
}

std::vector<std::vector<std::string>> parse_sample(std::span<const std::string> lines,
                                                   const Dialect& dialect, std::int64_t* bad) {
  std::size_t at = 0;
  RecordParser parser(
      [&](std::string& line) {
        if (at == lines.size()) return false;
        line = lines[at++];
        return true;
      },
      dialect, "sample");
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> cells;
  while (true) {
    try {
      if (!parser.next(cells)) break;
      if (!parser.line_is_empty() || cells.size() > 1) rows.push_back(cells);
    } catch (const BadRow&) {
      if (bad != nullptr) ++*bad;
    } catch (const std::invalid_argument&) {
      break;
    }
  }
  return rows;
}

}  // namespace fastformer::data

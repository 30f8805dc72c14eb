#include "fastformer/data/delimited_records.h"

#include <algorithm>
#include <stdexcept>

#include "fastformer/data/line_stream.h"

namespace fastformer::data {

bool DelimitedRecords::read_line() {
  if (!lines_.next(line_)) return false;
  record_bytes_ += line_.size() + 1;
  check_text(line_, lines_.where());
  return true;
}

bool DelimitedRecords::next(std::vector<std::string>& cells) {
  do {
    record_bytes_ = 0;
    if (!read_line()) return false;
  } while (line_.empty());
  first_line_ = lines_.line_number();
  std::size_t count = 0, at = 0;
  while (true) {
    // The cells of the last record are written over, so that their memory serves again.
    if (count == cells.size()) cells.emplace_back();
    std::string& cell = cells[count++];
    cell.clear();
    at = at < line_.size() && line_[at] == '"' ? read_quoted(at, cell) : read_plain(at, cell);
    if (at >= line_.size()) break;
    ++at;
  }
  cells.resize(count);
  return true;
}

std::size_t DelimitedRecords::read_plain(std::size_t at, std::string& cell) const {
  const std::size_t end = std::min(line_.find(delimiter_, at), line_.size());
  cell.assign(line_, at, end - at);
  return end;
}

// Returns where the field's delimiter stands in line_, which is a later line than the one given
// when the quotes hold line ends.
std::size_t DelimitedRecords::read_quoted(std::size_t at, std::string& cell) {
  const std::int64_t opened = lines_.line_number();
  ++at;
  while (true) {
    const std::size_t quote = line_.find('"', at);
    cell.append(line_, at, quote == std::string::npos ? quote : quote - at);
    if (record_bytes_ > kMaximumRecordBytes) {
      throw std::invalid_argument(lines_.where(opened) +
                                  ": the quote that opens here makes a record of more than 64 MB, "
                                  "the most one may have; close it, or double it if it is text");
    }
    if (quote == std::string::npos) {
      if (!read_line()) {
        throw std::invalid_argument(lines_.where(opened) +
                                    ": the quote that opens here is never closed; close it, or "
                                    "double it if it is text");
      }
      cell += '\n';
      at = 0;
    } else if (quote + 1 < line_.size() && line_[quote + 1] == '"') {
      cell += '"';
      at = quote + 2;
    } else if (quote + 1 == line_.size() || line_[quote + 1] == delimiter_) {
      return quote + 1;
    } else {
      throw std::invalid_argument(lines_.where() +
                                  ": text follows a closing quote; a quote inside a quoted field "
                                  "is written twice (\"\")");
    }
  }
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

#include "fastformer/data/mind_reader.h"

#include <algorithm>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "fastformer/data/utf8.h"

namespace fastformer::data {
namespace {

enum Column : std::size_t { kId = 0, kCategory = 1, kTitle = 3, kAbstract = 4, kBody = 8 };

std::filesystem::path news_file(const std::filesystem::path& path) {
  return std::filesystem::is_directory(path) ? path / "news.tsv" : path;
}

std::vector<std::string_view> split_tabs(std::string_view line) {
  std::vector<std::string_view> cells;
  for (std::size_t at = 0; at <= line.size();) {
    const std::size_t end = std::min(line.find('\t', at), line.size());
    cells.push_back(line.substr(at, end - at));
    at = end + 1;
  }
  return cells;
}

}  // namespace

MindReader::MindReader(const DataConfig& config, const std::filesystem::path& path)
    : body_(config.mind_body), separator_(config.text_columns_separator), lines_(news_file(path)) {}

bool MindReader::next(Example& example) {
  do {
    if (!lines_.next(line_)) return false;
  } while (line_.empty());
  example.where = lines_.where();
  check_text(line_, example.where);
  const auto cells = split_tabs(line_);
  if (cells.size() <= kAbstract) {
    throw std::invalid_argument(example.where + ": has " + std::to_string(cells.size()) +
                                " columns, but MIND's news.tsv has at least 5 (id, category, "
                                "subcategory, title, abstract), separated by tabs");
  }
  example.text = cells[kTitle];
  const auto append = [&](std::string_view part) {
    if (!part.empty()) example.text.append(separator_).append(part);
  };
  append(cells[kAbstract]);
  if (body_ && cells.size() > kBody) append(cells[kBody]);
  example.label = cells[kCategory];
  example.group = cells[kId];
  return true;
}

}  // namespace fastformer::data

#include "fastformer/data/dialect.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <stdexcept>

#include "fastformer/data/record_parser.h"

namespace fastformer::data {
namespace {

// The character of "tab", "\t" or ";"; NUL for what is no single character.
char character_of(const std::string& word) {
  if (word == "tab" || word == "\\t") return '\t';
  return word.size() == 1 ? word.front() : '\0';
}

// How well a delimiter divides the records: the share of those that have as many columns as most
// have, 0 where that is one or the first has another number.
double agreement(std::span<const std::string> lines, const Dialect& dialect) {
  std::map<std::size_t, std::int64_t> counts;
  std::int64_t bad = 0;
  const auto rows = parse_sample(lines, dialect, &bad);
  for (const auto& row : rows) ++counts[row.size()];
  std::size_t columns = 1;
  std::int64_t most = 0;
  for (const auto& [count, records] : counts) {
    if (records >= most) columns = count, most = records;
  }
  if (columns < 2 || rows.front().size() != columns) return 0;
  return static_cast<double>(most) / static_cast<double>(std::ssize(rows) + bad);
}

bool every_cell_is_quoted(const std::string& line, char delimiter) {
  const std::string between = std::string("\"") + delimiter + "\"";
  if (line.size() < 2 || line.front() != '"' || line.back() != '"') return false;
  const auto delimiters = std::count(line.begin(), line.end(), delimiter);
  std::int64_t pairs = 0;
  for (auto at = line.find(between); at != std::string::npos; at = line.find(between, at + 2)) {
    ++pairs;
  }
  return pairs == delimiters;
}

char detect_quote(const DialectConfig& config, char delimiter, std::span<const std::string> lines) {
  if (config.quote == "none") return '\0';
  if (config.quote != "auto") return character_of(config.quote);
  if (delimiter != '\t') return '"';
  return !lines.empty() && every_cell_is_quoted(lines.front(), delimiter) ? '"' : '\0';
}

bool is_separator_line(const std::string& line) {
  return line.size() == 5 && (line.starts_with("sep=") || line.starts_with("SEP="));
}

}  // namespace

void DialectConfig::visit_fields(base::FieldVisitor& visit) {
  visit("delimiter", delimiter,
        "character between the cells of a csv or tsv, such as \";\" or \"tab\"; auto: detected in "
        "the file");
  visit("quote", quote,
        "character around cells, or none; auto: \" in a csv, none in a tsv unless its first line "
        "is quoted");
  visit("quote_escape", quote_escape, "how a quote inside quotes is written: \"\" or \\\"");
}

void DialectConfig::validate() const {
  if (delimiter != "auto" && character_of(delimiter) == '\0') {
    throw std::invalid_argument("data.delimiter is '" + delimiter +
                                "', expected one character such as ';', or \"tab\" or \"auto\"");
  }
  if (quote != "auto" && quote != "none" && character_of(quote) == '\0') {
    throw std::invalid_argument("data.quote is '" + quote +
                                "', expected one character, \"none\" or \"auto\"");
  }
}

std::string delimiter_name(char delimiter) {
  return delimiter == '\t' ? "tabs" : std::string("'") + delimiter + "'";
}

DetectedDialect detect_dialect(const DialectConfig& config, char usual,
                               std::span<const std::string> lines, const std::string& file) {
  DetectedDialect result;
  auto& dialect = result.dialect;
  dialect.delimiter = usual;
  dialect.escape = config.quote_escape;
  if (!lines.empty() && is_separator_line(lines.front())) {
    dialect.delimiter = lines.front().back();
    result.skipped_lines = 1;
    lines = lines.subspan(1);
  }
  if (config.delimiter != "auto") {
    dialect.delimiter = character_of(config.delimiter);
  } else if (result.skipped_lines == 0) {
    dialect.quote = detect_quote(config, usual, lines);
    double best = agreement(lines, dialect);
    for (const char other : {',', ';', '\t', '|'}) {
      if (best >= 1 || lines.size() < 2) break;
      auto tried = dialect;
      tried.delimiter = other;
      tried.quote = detect_quote(config, other, lines);
      const double agreed = agreement(lines, tried);
      if (agreed > best && agreed > 0.9) {
        best = agreed;
        dialect.delimiter = other;
      }
    }
    if (dialect.delimiter != usual) {
      result.notice = file + ": the cells are separated by " + delimiter_name(dialect.delimiter) +
                      ", not by " + delimiter_name(usual);
    }
  }
  dialect.quote = detect_quote(config, dialect.delimiter, lines);
  return result;
}

}  // namespace fastformer::data

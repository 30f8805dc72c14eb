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

// Whether cells between tabs are quoted: each of the first line, or some as programs do that quote
// only where they must. Then all records have one number of columns, and without quotes either they
// have not, or a cell has doubled quotes inside.
bool tabs_are_quoted(std::span<const std::string> lines) {
  if (lines.empty()) return false;
  if (every_cell_is_quoted(lines.front(), '\t')) return true;
  const Dialect plain = {.delimiter = '\t', .quote = '\0'}, quoted = {.delimiter = '\t'};
  if (agreement(lines, quoted) < 1) return false;
  if (agreement(lines, plain) < 1) return true;
  return std::ranges::any_of(parse_sample(lines, plain), [](const auto& row) {
    return std::ranges::any_of(row, [](const std::string& cell) {
      return cell.size() > 3 && cell.starts_with('"') && cell.ends_with('"') &&
             cell.find("\"\"", 1) < cell.size() - 2;
    });
  });
}

char detect_quote(const DialectConfig& config, char delimiter, std::span<const std::string> lines) {
  if (config.quote == "none") return '\0';
  if (config.quote != "auto") return character_of(config.quote);
  if (delimiter != '\t') return '"';
  return tabs_are_quoted(lines) ? '"' : '\0';
}

// Whether only a backslash lets all quotes inside quotes be read, as Spark writes them.
bool escapes_by_backslash(std::span<const std::string> lines, Dialect dialect) {
  if (dialect.quote == '\0') return false;
  const std::string escaped = std::string("\\") + dialect.quote;
  if (std::ranges::none_of(
          lines, [&](const auto& line) { return line.find(escaped) != std::string::npos; })) {
    return false;
  }
  dialect.escape = QuoteEscape::kDoubled;
  const double doubled = agreement(lines, dialect);
  dialect.escape = QuoteEscape::kBackslash;
  return agreement(lines, dialect) > doubled;
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
        "character around cells, or none; auto: \" in a csv, none in a tsv unless the first lines "
        "need quotes");
  visit("quote_escape", quote_escape,
        "how a quote inside quotes is written: \"\" or \\\"; auto: detected in the file");
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
  if (config.quote_escape != QuoteEscape::kAuto) dialect.escape = config.quote_escape;
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
  if (config.quote_escape == QuoteEscape::kAuto && escapes_by_backslash(lines, dialect)) {
    dialect.escape = QuoteEscape::kBackslash;
    result.notice +=
        (result.notice.empty() ? file + ": its" : "; its") +
        " quotes inside quotes are written \\\"; data.quote_escape = \"doubled\" reads "
        "them otherwise";
  }
  return result;
}

}  // namespace fastformer::data

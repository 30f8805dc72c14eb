#include "fastformer/cli/inspect_data.h"

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <unordered_set>
#include <utility>
#include <vector>

#include "fastformer/base/ascii.h"
#include "fastformer/base/config_value.h"
#include "fastformer/base/format.h"
#include "fastformer/classification/readers/reader.h"
#include "fastformer/cli/answers/prediction_input.h"
#include "fastformer/cli/table_profile.h"
#include "fastformer/data/bad_row.h"
#include "fastformer/data/delimited_records.h"
#include "fastformer/data/header_row.h"
#include "fastformer/data/json_lines.h"
#include "fastformer/data/utf8.h"
#include "fastformer/text/display_width.h"

namespace fastformer::cli {
namespace {

namespace fs = std::filesystem;

std::string shortened(std::string text) {
  constexpr std::size_t kShown = 60;
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  if (text.size() <= kShown) return text;
  std::size_t end = kShown;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + " ...";
}

// What is found out about a table, and the lines of its recipe.
struct Finding {
  std::string format, notes;
  std::vector<std::string> settings;  ///< lines of [data]
  TableProfile table;
  std::vector<std::string> names;  ///< how a recipe calls the columns
  classification::HeaderRow header = classification::HeaderRow::kAuto;
  std::int64_t bad_rows = 0, duplicates = 0;
  bool has_label = false;
};

void note(Finding& finding, const std::string& sentence) {
  finding.notes += "# " + sentence + "\n";
}

// Counts texts that came before.
class Duplicates {
 public:
  bool add(std::string_view text) {
    return !seen_.insert(std::hash<std::string_view>()(text)).second;
  }

 private:
  std::unordered_set<std::size_t> seen_;
};

// Reads all records, the heading included, and calls `use` with each; counts those that are bad.
void for_each_record(const fs::path& file, char delimiter, const data::TextEncoding& encoding,
                     Finding& finding, const std::function<void(std::vector<std::string>&)>& use) {
  data::DelimitedRecords records(file, delimiter, encoding);
  std::vector<std::string> cells;
  std::optional<data::RowWidth> width;
  while (true) {
    try {
      if (!records.next(cells)) break;
    } catch (const data::BadRow& error) {
      if (finding.bad_rows++ == 0) note(finding, error.what());
      continue;
    }
    if (!width) width.emplace(cells, 1);
    if (!width->fit(cells)) {
      if (finding.bad_rows++ == 0) {
        note(finding, records.where() + " has " + std::to_string(cells.size()) +
                          " columns, but the first row has " + std::to_string(width->most()));
      }
      continue;
    }
    use(cells);
  }
  for (const auto& sentence : records.notices()) note(finding, sentence);
}

// The columns of the first lines, without names, tell which are text and label.
bool has_heading(const data::DelimitedRecords& records) {
  const auto rows = records.sample();
  if (rows.empty()) return false;
  TableProfile table;
  table.set_columns(std::vector<std::string>(rows.front().size()));
  for (std::size_t i = 1; i < rows.size(); ++i) table.add_row(rows[i]);
  data::UsedColumns used;
  if (const auto text = table.text_column()) {
    used.text = {*text};
    used.label = table.label_column(*text);
  }
  return data::first_row_is_heading(rows, used);
}

void read_delimited(const fs::path& file, const data::TextEncoding& encoding, Finding& finding) {
  const char delimiter = finding.format == "tsv" ? '\t' : ',';
  const bool heading = has_heading(data::DelimitedRecords(file, delimiter, encoding));
  bool first = true;
  for_each_record(file, delimiter, encoding, finding, [&](std::vector<std::string>& cells) {
    if (std::exchange(first, false)) {
      for (std::size_t i = 0; i < cells.size(); ++i) {
        const std::string name(base::trimmed(cells[i]));
        finding.names.push_back(heading && !name.empty() ? name : std::to_string(i + 1));
      }
      finding.table.set_columns(finding.names);
      if (heading) return;
    }
    finding.table.add_row(cells);
  });
  finding.header = heading ? classification::HeaderRow::kYes : classification::HeaderRow::kNo;
  finding.settings.push_back("header = " + base::quoted(base::word_of(finding.header)));
  if (finding.bad_rows > 0) {
    note(finding, std::to_string(finding.bad_rows) +
                      (finding.bad_rows == 1 ? " row cannot be read and is skipped"
                                             : " rows cannot be read and are skipped"));
    finding.settings.emplace_back("bad_rows = \"skip\"");
  }
}

void read_json_lines(const fs::path& file, const data::TextEncoding& encoding, Finding& finding) {
  data::JsonLines lines(file, encoding);
  nlohmann::json object;
  while (true) {
    try {
      if (!lines.next(object)) break;
    } catch (const data::BadRow& error) {
      if (finding.bad_rows++ == 0) note(finding, error.what());
      continue;
    }
    for (const auto& [name, value] : object.items()) {
      finding.table.add_field(name, value.is_string() ? value.get<std::string>()
                                    : value.is_null() ? ""
                                                      : value.dump());
    }
    finding.table.end_row();
  }
  for (const auto& column : finding.table.columns()) finding.names.push_back(column.name);
  if (finding.bad_rows > 0) finding.settings.emplace_back("bad_rows = \"skip\"");
}

void add_class_counts(const std::map<std::string, std::int64_t, std::less<>>& counts,
                      std::string& text) {
  constexpr std::size_t kShown = 20;
  std::map<std::string, std::int64_t> classes;  // as training names them
  for (const auto& [label, count] : counts) {
    classes[classification::normalized_label(label)] += count;
  }
  std::vector<std::pair<std::int64_t, std::string>> ranked;
  for (const auto& [label, count] : classes) ranked.emplace_back(-count, label);
  std::sort(ranked.begin(), ranked.end());
  text += base::format("# classes %zu\n", ranked.size());
  for (std::size_t i = 0; i < std::min(ranked.size(), kShown); ++i) {
    text += base::format("# %10lld  ", static_cast<long long>(-ranked[i].first)) +
            shortened(ranked[i].second) + "\n";
  }
  if (ranked.size() > kShown)
    text += base::format("#        and %zu more\n", ranked.size() - kShown);
}

std::string recipe(const fs::path& path, const Finding& finding) {
  auto name = path.string();
  data::replace_invalid(name);  // TOML is UTF-8, the name of a file need not be
  std::string text =
      "\n[data]\nformat = \"" + finding.format + "\"\ntrain = [" + base::quoted(name) + "]\n";
  for (const auto& setting : finding.settings) text += setting + "\n";
  return text + "validation_fraction = 0.1\ntest_fraction = 0.1\n";
}

std::string table_text(const Finding& finding) {
  std::size_t width = 6;
  for (const auto& column : finding.table.columns()) {
    width = std::max(width, text::display_width(shortened(column.name)));
  }
  std::string text = "# rows " + std::to_string(finding.table.rows()) + "\n# " +
                     text::padded("column", width) + "  type           different  empty  example\n";
  for (const auto& column : finding.table.columns()) {
    text += "# " + text::padded(shortened(column.name), width) +
            base::format("  %-13s  %8zu%s  %5lld  ", column.type().c_str(), column.distinct(),
                         column.too_many() ? "+" : " ", static_cast<long long>(column.empty)) +
            shortened(column.example) + "\n";
  }
  return text;
}

// What is said of the labels, whose settings are added to the recipe; empty if no column has some.
std::string labels_text(std::size_t text_column, Finding& finding) {
  const auto& columns = finding.table.columns();
  const auto setting = [&](const char* field, const std::string& value) {
    finding.settings.push_back(std::string(field) + " = " + value);
  };
  if (const auto list = finding.table.label_list(text_column)) {
    const auto& name = finding.names[list->column];
    const bool json = list->separator == '[';
    const std::string separator(1, list->separator);
    setting("label_column", base::quoted(name));
    setting(json ? "multi_label" : "label_separator", json ? "true" : base::quoted(separator));
    std::string text =
        "# the column '" + name + "' looks like several labels per row, " +
        (json ? "as lists\n" : "with " + base::quoted(separator) + " between them\n");
    if (!json) add_class_counts(columns[list->column].lists.at(list->separator).counts, text);
    return text;
  }
  if (const auto flags = finding.table.flag_columns(text_column); !flags.empty()) {
    std::string names;
    std::map<std::string, std::int64_t, std::less<>> counts;
    for (const auto column : flags) {
      names += (names.empty() ? "" : ", ") + base::quoted(finding.names[column]);
      counts[finding.names[column]] = columns[column].counts.find("1")->second;
    }
    setting("label_columns", "[" + names + "]");
    std::string text = "# the columns of 0 and 1 look like several labels per row\n";
    add_class_counts(counts, text);
    return text;
  }
  const auto label = finding.table.label_column(text_column);
  if (!label) return {};
  setting("label_column", base::quoted(finding.names[*label]));
  std::string text = "# the label seems to be the column '" + finding.names[*label] + "'\n";
  if (columns[*label].empty > 0) {
    text += base::format("# %lld rows have no label: complete or remove them before training\n",
                         static_cast<long long>(columns[*label].empty));
  }
  add_class_counts(columns[*label].counts, text);
  return text;
}

std::string inspect_table(const fs::path& path, Finding& finding,
                          const data::TextEncoding& encoding, const std::string& encoding_name) {
  if (finding.format == "jsonl") {
    read_json_lines(path, encoding, finding);
  } else {
    read_delimited(path, encoding, finding);
  }
  std::string text = "# " + path.string() + ": " + finding.format + ", " + encoding_name + "\n" +
                     table_text(finding) + finding.notes;
  const auto text_column = finding.table.text_column();
  if (!text_column) return text + "# no column contains text\n";
  finding.settings.push_back("text_columns = [" + base::quoted(finding.names[*text_column]) + "]");
  text += "# the text seems to be in the column '" + finding.names[*text_column] + "'\n";
  const auto labels = labels_text(*text_column, finding);
  finding.has_label = !labels.empty();
  if (!finding.has_label) {
    return text + "# no column looks like a label: few different values, each of them frequent\n";
  }
  return text + labels;
}

// Reads the texts again as training would.
std::int64_t count_duplicates(const fs::path& path, const Finding& finding,
                              const data::TextEncoding& encoding, const std::string& text_column) {
  classification::DataConfig config;
  config.format = finding.format;
  config.encoding = encoding;
  config.bad_rows = data::BadRows::kSkip;
  config.header = finding.header;
  config.text_columns = {text_column};
  Duplicates duplicates;
  std::int64_t count = 0;
  classification::for_each_example(config, {path.string()}, [&](classification::Example& example) {
    if (duplicates.add(example.text)) ++count;
  });
  return count;
}

std::string format_of_content(const fs::path& path, const data::TextEncoding& encoding) {
  data::LineStream lines(path, encoding);
  std::string line;
  while (lines.next(line) && line.find_first_not_of(" \t") == std::string::npos) continue;
  const auto begin = line.find_first_not_of(" \t");
  if (begin == std::string::npos) {
    throw std::invalid_argument(path.string() + ": is empty, expected a file with data");
  }
  if (line[begin] == '{' || line[begin] == '[') return "jsonl";
  if (line.compare(begin, 9, "__label__") == 0) return "fasttext";
  return "csv";
}

// Formats that have their own columns: classes and duplicates only.
std::string inspect_documents(const fs::path& path, Finding& finding,
                              const data::TextEncoding& encoding) {
  classification::DataConfig config;
  config.format = finding.format;
  config.encoding = encoding;
  config.multi_label = finding.format == "fasttext";
  std::map<std::string, std::int64_t, std::less<>> counts;
  std::int64_t rows = 0;
  bool several = false;
  Duplicates duplicates;
  classification::for_each_example(config, {path.string()}, [&](classification::Example& example) {
    ++rows;
    for (const auto& label : example.labels) ++counts[label];
    if (example.labels.empty()) ++counts[example.label];
    several = several || example.labels.size() > 1;
    if (duplicates.add(example.text)) ++finding.duplicates;
  });
  std::string text =
      "# " + path.string() + ": " + finding.format + "\n# rows " + std::to_string(rows) + "\n";
  if (several) {
    text += "# some rows have several labels\n";
    finding.settings.emplace_back("multi_label = true");
  }
  add_class_counts(counts, text);
  return text;
}

std::string duplicates_text(std::int64_t count) {
  if (count == 0) return "# no text occurs twice\n";
  return "# " + std::to_string(count) + (count == 1 ? " text repeats" : " texts repeat") +
         " an earlier one\n";
}

std::string inspect_folder(const fs::path& path) {
  Finding finding;
  const auto clicks = [&](const char* name, const char* format) {
    finding.format = format;
    return "# " + path.string() + ": a folder of " + name +
           "\n\n[task]\nname = \"recommendation\"\n" + recipe(path, finding);
  };
  if (fs::exists(path / "behaviors.tsv")) return clicks("MIND", "mind");
  for (const auto& entry : fs::directory_iterator(path)) {
    if (entry.path().extension() == ".inter") return clicks("RecBole", "recbole");
  }
  finding.format = "folders";
  const auto text = inspect_documents(path, finding, {});
  return text + duplicates_text(finding.duplicates) + recipe(path, finding);
}

}  // namespace

std::string inspect_data(const fs::path& path) {
  if (fs::is_directory(path)) return inspect_folder(path);
  data::ByteSource bytes(path);
  const auto encoding_name = data::likely_encoding(bytes.next());
  data::TextEncoding encoding;
  Finding finding;
  if (!data::is_utf8(encoding_name)) {
    encoding.encoding = encoding_name;
    finding.settings.push_back("encoding = " + base::quoted(encoding_name));
  }
  finding.format = format_of_name(path);
  if (finding.format.empty()) finding.format = format_of_content(path, encoding);
  std::string text;
  if (finding.format == "fasttext") {
    text = inspect_documents(path, finding, encoding);
  } else {
    text = inspect_table(path, finding, encoding, encoding_name);
    if (!finding.has_label) return text;
    const auto column = finding.table.text_column();
    finding.duplicates = count_duplicates(path, finding, encoding, finding.names[*column]);
  }
  return text + duplicates_text(finding.duplicates) + recipe(path, finding);
}

}  // namespace fastformer::cli

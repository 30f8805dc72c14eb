#include "fastformer/cli/answers/prediction_input.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "fastformer/base/ascii.h"
#include "fastformer/base/config_tree.h"

namespace fastformer::cli {
namespace {

namespace fs = std::filesystem;
using classification::DataConfig;

constexpr const char* kLines = "lines";

bool is_delimited(const std::string& format) { return format == "csv" || format == "tsv"; }

// Whether columns of one format mean something in the other: names do, numbers among tables only.
bool share_columns(const std::string& from, const std::string& to,
                   const std::vector<std::string>& columns) {
  if (from == to || (is_delimited(from) && is_delimited(to))) return true;
  return std::none_of(columns.begin(), columns.end(),
                      [](const auto& column) { return classification::is_column_number(column); });
}

// The section [data] before it is known whether a column of text is named.
struct UncheckedSection {
  DataConfig& config;

  void visit_fields(base::FieldVisitor& visit) { config.visit_fields(visit); }
  void validate() const {}
};

// What [data] says of lines.
struct LinesSection {
  data::TextEncoding encoding;

  void visit_fields(base::FieldVisitor& visit) { encoding.visit_fields(visit); }
  void validate() const {}
};

DataConfig config_for(const std::string& input, const std::string& format,
                      const DataConfig& trained_on, const std::vector<std::string>& assignments) {
  auto config = trained_on;
  if (!share_columns(trained_on.format, format, config.text_columns)) config.text_columns.clear();
  if (!classification::has_columns(format)) config.text_columns.clear();
  config.test_text_columns.clear();
  config.format = format;
  config.label_column.clear();
  config.label_columns.clear();
  config.label_separator.clear();
  config.group_column.clear();
  config.bad_rows = data::BadRows::kError;  // each record has an answer
  if (!is_delimited(format)) config.header = classification::HeaderRow::kAuto;
  UncheckedSection section{config};
  base::ConfigTree::from_assignments(assignments, {"data"}).read_section("data", section);
  if (classification::has_columns(format) && config.text_columns.empty()) {
    throw std::invalid_argument(
        input + ": is read as " + format +
        ", but the model has no setting for the text column; set it with --set "
        "'data.text_columns=[\"text\"]', or use --format lines to read one text per line");
  }
  config.validate();
  return config;
}

}  // namespace

std::string format_of_name(const fs::path& file) {
  static constexpr std::array<std::string_view, 8> kPackings = {".gz",  ".zst", ".bz2", ".xz",
                                                                ".zip", ".tar", ".tgz", ".txz"};
  fs::path name = file.filename();
  while (std::ranges::find(kPackings, name.extension().string()) != kPackings.end()) {
    name = name.stem();
  }
  const auto extension = base::ascii_lowercase(name.extension().string());
  if (extension == ".csv") return "csv";
  if (extension == ".tsv" || extension == ".tab") return "tsv";
  if (extension == ".jsonl" || extension == ".ndjson" || extension == ".json") return "jsonl";
  return {};
}

void add_input_options(CLI::App& command, InputOptions& options) {
  command.add_option("input", options.input, "Input file; - is the standard input")
      ->capture_default_str();
  auto formats = classification::reader_names();
  formats.insert(formats.begin(), {"auto", kLines});
  command
      .add_option("--format", options.format,
                  "Input format. auto: csv, tsv or jsonl by the name of the file, read as the "
                  "training data was, else lines; lines: one text per line; the others as "
                  "data.format in a recipe")
      ->check(CLI::IsMember(formats))
      ->capture_default_str();
  command
      .add_option("--set", options.set,
                  "Override how the input is read: data.text_columns=[\"body\"]")
      ->type_name("KEY=VALUE");
}

// A person at a terminal wants each answer at once.
PredictionInput::PredictionInput(const InputOptions& options, const DataConfig& trained_on)
    : batch_(options.input == "-" && isatty(STDIN_FILENO) != 0 ? 1 : 64) {
  const auto& [input, chosen, assignments] = options;
  auto format = chosen;
  if (format == "auto") {
    format = fs::is_directory(input) ? trained_on.format : format_of_name(input);
    if (format.empty()) format = kLines;
  }
  if (format == kLines) {
    LinesSection section;
    base::ConfigTree::from_assignments(assignments, {"data"}).read_section("data", section);
    lines_ = std::make_unique<data::LineStream>(input, section.encoding);
    return;
  }
  reader_ = classification::open_reader(config_for(input, format, trained_on, assignments), input);
}

bool PredictionInput::next(Record& record) {
  if (lines_) {
    if (!lines_->next(record.text)) return false;
    record.fields = {{.name = "text", .value = record.text}};
    has_labels_ = has_labels_ || record.text.starts_with("__label__");
    return true;
  }
  classification::Example example;
  if (!reader_->next(example)) return false;
  record.text = std::move(example.text);
  record.fields = reader_->fields();
  if (record.fields.empty()) record.fields = {{.name = "text", .value = record.text}};
  return true;
}

void PredictionInput::for_each_batch(
    const std::function<void(const std::vector<Record>&, const std::vector<std::string>&)>& use) {
  std::vector<Record> records;
  std::vector<std::string> texts;
  for (bool more = true; more;) {
    Record record;
    more = next(record);
    if (more) {
      texts.push_back(record.text);
      records.push_back(std::move(record));
    }
    if (records.empty() || (more && records.size() < batch_)) continue;
    use(records, texts);
    records.clear();
    texts.clear();
  }
}

std::vector<std::string> PredictionInput::notices() const {
  if (reader_) return reader_->notices();
  std::vector<std::string> notices;
  if (has_labels_) {
    notices.emplace_back(
        "lines begin with __label__, which was read as text; use --format fasttext");
  }
  if (const auto notice = lines_->notice(); !notice.empty()) notices.push_back(notice);
  return notices;
}

}  // namespace fastformer::cli

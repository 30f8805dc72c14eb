#include "fastformer/data/export_splits.h"

#include <array>
#include <ostream>
#include <string>
#include <string_view>

#include "fastformer/base/atomic_file.h"
#include "fastformer/data/dataset_scan.h"

namespace fastformer::data {
namespace {

// White space as single blanks, none at either end.
std::string in_one_line(std::string_view text) {
  std::string line;
  bool pending = false;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
    if (!blank && pending && !line.empty()) line += ' ';
    if (!blank) line += c;
    pending = blank;
  }
  return line;
}

// A quote opens a quoted field only where it is the first character.
std::string field(std::string_view text) {
  auto line = in_one_line(text);
  if (!line.starts_with('"')) return line;
  std::string quoted = "\"";
  for (const char c : line) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + '"';
}

void write_row(std::ostream& out, const Example& example) {
  out << field(example.label) << '\t' << field(example.text) << '\n';
}

}  // namespace

void export_splits(const DataConfig& config, const std::filesystem::path& folder) {
  const auto scan = scan_sources(config);
  base::create_folder(folder);
  const auto test_config = config.for_test();
  struct Output {
    Part part;
    const char* name;
    const std::vector<std::string> own_files;
    const DataConfig& own_config;
  };
  const std::array outputs = {
      Output{Part::kTrain, "train.tsv", {}, config},
      Output{Part::kValidation, "validation.tsv", config.validation, config},
      Output{Part::kTest, "test.tsv", config.test, test_config}};
  for (const auto& output : outputs) {
    base::write_file_atomically(folder / output.name, [&](std::ostream& out) {
      const auto write_kept = [&](const Example& example) {
        const auto label = scan.label_ids.find(example.label);
        if (label != scan.label_ids.end() && label->second >= 0) write_row(out, example);
      };
      std::size_t row = 0;
      for_each_example(config, config.train, [&](Example& example) {
        if (scan.parts.at(row++) == output.part) write_kept(example);
      });
      for_each_example(output.own_config, output.own_files, write_kept);
    });
  }
}

}  // namespace fastformer::data

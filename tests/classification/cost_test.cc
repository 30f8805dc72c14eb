// The time of reading examples grows with the size of their files, whatever they hold.
#include <stdexcept>

#include "fastformer/classification/data_config.h"
#include "fastformer/classification/readers/reader.h"
#include "support/cost_check.h"
#include "support/temporary_folder.h"

namespace fastformer::classification {
namespace {

using testing::expect_linear;
using testing::filled;

void read(const DataConfig& config, const std::filesystem::path& file) {
  try {
    const auto reader = open_reader(config, file);
    for (Example example; reader->next(example);) reader->fields();
  } catch (const std::invalid_argument&) {
    return;
  }
}

TEST(ReaderCostSlow, Labels) {
  for (const std::string part : {"a", "\u0301\u0323", "\u200d", " ", "0", "1.", "\xff", "\u00e9"}) {
    for (const std::string begin : {"", "\u00e9", "1."}) {
      expect_linear(
          "label of " + begin + part, [&](std::size_t size) { return begin + filled(part, size); },
          [](const std::string& label) { normalized_label(label); });
    }
  }
}

TEST(ReaderCostSlow, Formats) {
  const testing::TemporaryFolder folder;
  for (const std::string format : {"csv", "tsv", "jsonl", "fasttext", "mind", "debian"}) {
    DataConfig config;
    config.format = format;
    config.bad_rows = data::BadRows::kSkip;
    if (has_columns(format)) config.text_columns = {format == "jsonl" ? "a" : "1"};
    for (const std::string part : {",", "\t", "\n", "a\n", "\"", "__label__a ", "a\tb\tc\td\te\n",
                                   "{\"a\":\"b\"}\n", " a\n", "Package: a\nDescription: b\n\n"}) {
      expect_linear(
          format + " of " + part,
          [&](std::size_t size) { return folder.write("file", filled(part, size)); },
          [&](const auto& file) { read(config, file); });
    }
  }
}

TEST(ReaderCostSlow, RowsNarrowerThanTheFirst) {
  const testing::TemporaryFolder folder;
  DataConfig config;
  config.text_columns = {"1"};
  config.header = HeaderRow::kNo;
  expect_linear(
      "rows",
      [&](std::size_t size) {
        return folder.write("file",
                            "a" + std::string(size / 2, ',') + "\n" + filled("a\n", size / 2));
      },
      [&](const auto& file) { read(config, file); });
}

TEST(ReaderCostSlow, FieldsOfAnObject) {
  const testing::TemporaryFolder folder;
  DataConfig config;
  config.format = "jsonl";
  config.text_columns = {"a"};
  expect_linear(
      "fields",
      [&](std::size_t size) {
        std::string text = "{\"a\":\"b\"";
        for (int i = 0; text.size() < size; ++i) text += ",\"" + std::to_string(i) + "\":[]";
        return folder.write("file", text + "}\n");
      },
      [&](const auto& file) { read(config, file); });
}

}  // namespace
}  // namespace fastformer::classification

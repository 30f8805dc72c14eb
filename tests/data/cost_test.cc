// The time of reading files grows with their size, whatever they hold.
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "fastformer/data/bad_row.h"
#include "fastformer/data/debian_index.h"
#include "fastformer/data/delimited_records.h"
#include "fastformer/data/header_row.h"
#include "fastformer/data/json_lines.h"
#include "fastformer/data/line_stream.h"
#include "fastformer/data/word_vectors.h"
#include "support/cost_check.h"
#include "support/temporary_folder.h"

namespace fastformer::data {
namespace {

using testing::expect_linear;
using testing::filled;

class DataCostSlow : public ::testing::Test {
 protected:
  // Files of repeated parts behind a beginning; what cannot be read is refused, bad rows are
  // skipped.
  template <class Read>
  void expect_linear_file(const std::string& name, const std::string& begin,
                          const std::string& part, const Read& read) {
    expect_linear(
        name + ", " + begin + part,
        [&](std::size_t size) { return folder_.write("file", begin + filled(part, size)); },
        [&](const std::filesystem::path& file) {
          try {
            read(file);
          } catch (const std::invalid_argument&) {
            return;
          }
        });
  }

  testing::TemporaryFolder folder_;
};

// Reads records to the end, beyond those that are bad.
template <class Records, class Record>
void read_all(Records& records, Record& record) {
  for (bool more = true; more;) {
    try {
      more = records.next(record);
    } catch (const BadRow&) {
      continue;
    }
  }
}

TEST_F(DataCostSlow, Lines) {
  for (const std::string encoding : {"", "windows-1252", "GB18030", "UTF-7", "ISO-2022-JP"}) {
    for (const std::string part : {"a", "\n", "\r", "\r\n", "a\r", "\xff", "\x1b$B", "+", "~{"}) {
      expect_linear_file("lines of '" + encoding + "'", "", part, [&](const auto& file) {
        LineStream lines(file, {.encoding = encoding, .invalid_utf8 = InvalidText::kReplace});
        for (std::string line; lines.next(line);) continue;
      });
    }
  }
}

TEST_F(DataCostSlow, DelimitedRecords) {
  const auto read = [](QuoteEscape escape) {
    return [escape](const auto& file) {
      DelimitedRecords records(file, ',', {}, {.quote_escape = escape});
      first_row_is_heading(records.sample(), {.text = {0}, .label = {}});
      std::vector<std::string> cells;
      read_all(records, cells);
    };
  };
  for (const auto escape : {QuoteEscape::kDoubled, QuoteEscape::kBackslash}) {
    for (const std::string begin : {"", "\"", "a,b\n", ",\"", " \""}) {
      for (const std::string part :
           {",", "\"", "\"\"\"", ", \"", ", \"\"\"", ", \"\"", ", \"\"x", "\"\n", "\"x\n", " ",
            " ,", "\\", "\\\"", "\n", "a\n", ";\t|"}) {
        expect_linear_file("table", begin, part, read(escape));
      }
    }
  }
}

TEST_F(DataCostSlow, RowsNarrowerThanTheFirst) {
  expect_linear(
      "rows",
      [&](std::size_t size) {
        return folder_.write("file",
                             "a" + std::string(size / 2, ',') + "\n" + filled("a\n", size / 2));
      },
      [](const auto& file) {
        DelimitedRecords records(file, ',');
        std::vector<std::string> cells;
        records.next(cells);
        const RowWidth width(cells, 1);
        for (; records.next(cells);) width.fit(cells);
      });
}

TEST_F(DataCostSlow, JsonLines) {
  const auto read = [](const auto& file) {
    JsonLines lines(file);
    nlohmann::json object;
    read_all(lines, object);
  };
  for (const std::string begin : {"", "[", "{\"a\":", "{\"a\":\"", "[{\"a\":["}) {
    for (const std::string part :
         {"[", "]", "{", "}", "{}\n", ",", "\"", "\\", "1", "{\"a\":1},", "[\n", " \n", "}\n"}) {
      expect_linear_file("JSON Lines", begin, part, read);
    }
  }
  expect_linear(
      "names",
      [&](std::size_t size) {
        std::string text = "{\"a\":1";
        for (int i = 0; text.size() < size; ++i) text += ",\"" + std::to_string(i) + "\":{}";
        return folder_.write("file", text + "}");
      },
      read);
}

TEST_F(DataCostSlow, WordVectors) {
  const auto tokenizer =
      text::make_tokenizer({.minimum_count = 1}, [](const auto& use) { use("the cat"); });
  for (const std::string begin : {"", "the 1 2\n", "9 2\n"}) {
    for (const std::string part : {"1 ", " ", "the 1 2\n", "x 1 2\n", "1", "1\t \n", "\n"}) {
      expect_linear_file("word vectors", begin, part,
                         [&](const auto& file) { read_word_vectors(file, *tokenizer, 2); });
    }
  }
}

TEST_F(DataCostSlow, DebianIndex) {
  for (const std::string begin : {"", "Package: a\nDescription: b\n"}) {
    for (const std::string part :
         {" a\n", " .\n", "Package: a\n", "a:", "\n", " ", "Section: /\n"}) {
      expect_linear_file("package index", begin, part, [](const auto& file) {
        DebianIndex index(file);
        for (DebianPackage package; index.next(package);) continue;
      });
    }
  }
}

}  // namespace
}  // namespace fastformer::data

// The time of reading settings and headers grows with their size, whatever they hold.
#include <gtest/gtest-spi.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "fastformer/base/config_tree.h"
#include "fastformer/base/format.h"
#include "fastformer/base/safetensors.h"
#include "fastformer/base/strict_json.h"
#include "support/cost_check.h"
#include "support/temporary_folder.h"

namespace fastformer::base {
namespace {

using testing::expect_linear;
using testing::filled;

// Numbered parts between a beginning and an end.
std::string numbered(std::size_t size, const std::string& begin,
                     const std::function<std::string(const std::string&)>& part,
                     const std::string& end) {
  std::string text = begin;
  for (std::size_t i = 0; text.size() < size; ++i) text += part("n" + std::to_string(i));
  return text + end;
}

// Reads what may be refused.
template <class Read>
void try_to(const Read& read) {
  try {
    read();
  } catch (const std::invalid_argument&) {
    return;
  }
}

TEST(CostCheckSlow, FindsTimeThatGrowsWithTheSquare) {
  const auto make = [](std::size_t size) { return std::string(size, 'a'); };
  const auto erase = [](std::string text) {
    while (!text.empty()) text.erase(0, 1);
  };
  constexpr std::size_t kMost = 1 << 16;
  EXPECT_NONFATAL_FAILURE(expect_linear("erasing", make, erase, kMost), "bytes take");
}

TEST(BaseCostSlow, Json) {
  const auto parse = [](const std::string& text) {
    try_to([&] { parse_strict_json<nlohmann::json>(text, "a.json"); });
  };
  const auto objects = [](std::size_t size) {
    return numbered(size, "{\"a\":1", [](const auto& n) { return ",\"" + n + "\":{}"; }, "}");
  };
  expect_linear("names", objects, parse);
  expect_linear(
      "nested names",
      [](std::size_t size) {
        return numbered(
            size, "[0", [](const auto& n) { return ",{\"a\":{\"" + n + "\":1}}"; }, "]");
      },
      parse);
  for (const std::string part : {"[", "{\"a\":", "1", "\"", "\\u0041", "[],", "{},", " ", "\xff"}) {
    for (const std::string begin : {"", "[", "\""}) {
      expect_linear(
          "JSON of " + begin + part, [&](std::size_t size) { return begin + filled(part, size); },
          parse);
    }
  }
}

TEST(BaseCostSlow, ConfigurationOfJson) {
  const auto read = [](const std::string& text) {
    try_to([&] { ConfigTree::from_json(text, "config.json"); });
  };
  expect_linear(
      "long texts",
      [](std::size_t size) { return "{\"a\":{\"b\":\"" + std::string(size, 'x') + "\"}}"; }, read);
  expect_linear(
      "lists",
      [](std::size_t size) { return "{\"a\":{\"b\":[" + filled("\"x\",", size) + "\"\"]}}"; },
      read);
}

constexpr std::size_t kMostToml = std::size_t{1} << 20;

TEST(BaseCostSlow, Toml) {
  const testing::TemporaryFolder folder;
  const auto expect_linear_toml = [&](const std::string& name, const auto& make) {
    expect_linear(
        name, [&](std::size_t size) { return folder.write("recipe.toml", make(size)); },
        [](const auto& file) { try_to([&] { ConfigTree::from_toml(file).to_toml(); }); },
        kMostToml);
  };
  const auto expect_linear_parts = [&](const std::string& name, const std::string& begin,
                                       const std::function<std::string(const std::string&)>& part) {
    expect_linear_toml(name, [&](std::size_t size) { return numbered(size, begin, part, ""); });
  };
  expect_linear_parts("keys", "[a]\n", [](const auto& n) { return n + "=1\n"; });
  expect_linear_parts("sections", "", [](const auto& n) { return "[" + n + "]\n"; });
  expect_linear_parts("tables", "", [](const auto& n) { return "[a." + n + "]\n"; });
  expect_linear_parts("tables with names of dots", "",
                      [](const auto& n) { return "[a.b." + n + "]\n[\"a.b\".\"" + n + "\"]\n"; });
  expect_linear_parts("dotted keys", "[a]\n", [](const auto& n) { return "b." + n + "=1\n"; });
  expect_linear_parts("tables in a list", "", [](const auto&) { return "[[a]]\n"; });
  for (const std::string part : {"[", "a.", "\"", "\"a\",", "#", "=", "{", "\n", "1", "'", "\\"}) {
    for (const std::string begin : {"", "[a]\nb=", "[a]\nb=[", "[a]\nb=\"\"\"", "[a]\nb=\""}) {
      expect_linear_toml("TOML of " + begin + part, [&](std::size_t size) {
        return begin + filled(part, size - begin.size());
      });
    }
  }
}

// A key that replaces a table of the same path: each had to look through all tables.
TEST(BaseCostSlow, KeysThatReplaceTables) {
  const testing::TemporaryFolder folder;
  const auto make = [&](std::size_t size) {
    std::string text = "[a.b]\n";
    for (int i = 0; text.size() < size / 2; ++i) text += "[a.b." + std::to_string(i) + "]\n";
    text += "[\"a.b\"]\n";
    for (int i = 0; text.size() < size; ++i) text += std::to_string(i) + "=1\n";
    return folder.write("recipe.toml", text);
  };
  expect_linear(
      "keys", make, [](const auto& file) { try_to([&] { ConfigTree::from_toml(file); }); },
      kMostToml);
}

TEST(BaseCostSlow, Safetensors) {
  const testing::TemporaryFolder folder;
  const auto write = [&](const std::string& header) {
    std::string length(8, '\0');
    for (std::size_t i = 0; i < 8; ++i) length[i] = static_cast<char>(header.size() >> 8 * i);
    return folder.write("a.safetensors", length + header);
  };
  const auto read = [](const auto& file) { try_to([&] { SafetensorsFile::open(file); }); };
  expect_linear(
      "tensors",
      [&](std::size_t size) {
        return write(numbered(
            size, "{\"__metadata__\":{}",
            [](const auto& n) {
              return ",\"" + n + "\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}";
            },
            "}"));
      },
      read);
  expect_linear(
      "names without tensors",
      [&](std::size_t size) {
        return write(numbered(
            size, "{\"__metadata__\":{}", [](const auto& n) { return ",\"" + n + "\":{}"; }, "}"));
      },
      read);
  expect_linear(
      "metadata",
      [&](std::size_t size) {
        return write(numbered(
            size, "{\"__metadata__\":{\"a\":\"\"",
            [](const auto& n) { return ",\"" + n + "\":\"\""; }, "}}"));
      },
      read);
}

TEST(BaseCostSlow, Suggestions) {
  const std::vector<std::string> names(100, std::string(80, 'n'));
  expect_linear(
      "long words", [](std::size_t size) { return std::string(size, 'm'); },
      [&](const std::string& word) { suggestion(word, names); });
  expect_linear(
      "many names",
      [](std::size_t size) { return std::vector<std::string>(size / 64, std::string(64, 'n')); },
      [](const auto& many) { suggestion("name", many); });
}

}  // namespace
}  // namespace fastformer::base

// The time of reading clicks grows with the size of their files, whatever they hold.
#include <stdexcept>

#include "fastformer/recommendation/data_config.h"
#include "fastformer/recommendation/readers/reader.h"
#include "support/cost_check.h"
#include "support/temporary_folder.h"

namespace fastformer::recommendation {
namespace {

using testing::expect_linear;
using testing::filled;

class ClickCostSlow : public ::testing::Test {
 protected:
  void read(const std::string& format, const std::filesystem::path& source) {
    DataConfig config;
    config.format = format;
    config.train = {source.string()};
    config.sampled_negatives = 2;
    try {
      read_clicks(config);
    } catch (const std::invalid_argument&) {
      return;
    }
  }

  testing::TemporaryFolder folder_;
};

// Each line is `part` with the number of the line for '#'.
std::string numbered(const std::string& part, std::size_t size) {
  std::string text;
  for (int i = 1; text.size() < size; ++i) {
    for (const char c : part) c == '#' ? text += std::to_string(i) : text += c;
  }
  return text;
}

TEST_F(ClickCostSlow, Mind) {
  folder_.write("news.tsv", numbered("N#\ta\tb\ttitle #\tx\n", 10'000));
  const std::string head = "1\tU\t11/15/2019 8:55:22 AM\t";
  const auto expect_linear_behaviors = [&](const std::string& name, const auto& make) {
    expect_linear(
        name, [&](std::size_t size) { return folder_.write("behaviors.tsv", make(size)); },
        [&](const auto& file) { read("mind", file.parent_path()); });
  };
  expect_linear_behaviors(
      "history", [&](std::size_t size) { return head + numbered("N# ", size) + "\tN1-1 N2-0\n"; });
  expect_linear_behaviors("shown items", [&](std::size_t size) {
    return head + "N1\t" + numbered("N#-0 ", size) + "N1-1\n";
  });
  expect_linear_behaviors("users", [&](std::size_t size) {
    return numbered("#\tU#\t11/15/2019 8:55:22 AM\tN1 N2\tN1-1 N2-0\n", size);
  });
  expect_linear(
      "items",
      [&](std::size_t size) {
        folder_.write("behaviors.tsv", head + "N1\tN1-1 N2-0\n");
        return folder_.write("news.tsv", numbered("N#\t#\tb\ttitle\tx\n", size));
      },
      [&](const auto& file) { read("mind", file.parent_path()); });
}

TEST_F(ClickCostSlow, Recbole) {
  folder_.write("a.item", "item_id:token\ttitle:token_seq\n" + numbered("#\ttitle\n", 10'000));
  const auto expect_linear_clicks = [&](const std::string& name, const std::string& line) {
    expect_linear(
        name,
        [&](std::size_t size) {
          return folder_.write("a.inter", "user_id:token\titem_id:token\n" + numbered(line, size));
        },
        [&](const auto& file) { read("recbole", file); });
  };
  expect_linear_clicks("clicks of one user", "u\t#\n");
  expect_linear_clicks("clicks of one item", "u#\t1\n");
  expect_linear_clicks("unknown items", "u\tx\n");
  expect_linear(
      "columns",
      [&](std::size_t size) {
        return folder_.write("a.inter", numbered("c#:token\t", size) + "user_id:token\n");
      },
      [&](const auto& file) { read("recbole", file); });
}

TEST_F(ClickCostSlow, Debian) {
  expect_linear(
      "dependencies",
      [&](std::size_t size) {
        return folder_.write("Packages", numbered("Package: p#\nDescription: d\n\n", size) +
                                             "Package: a\nDepends: " + numbered("p#,", size / 3) +
                                             "\n");
      },
      [&](const auto& file) { read("debian", file); });
  expect_linear(
      "a dependency many times",
      [&](std::size_t size) {
        return folder_.write("Packages", "Package: b\n\nPackage: c\n\nPackage: a\nDepends: " +
                                             filled("b,", size) + "\n");
      },
      [&](const auto& file) { read("debian", file); });
}

}  // namespace
}  // namespace fastformer::recommendation

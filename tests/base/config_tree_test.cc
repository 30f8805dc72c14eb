#include "fastformer/base/config_tree.h"

#include <gtest/gtest.h>

#include "fastformer/base/format.h"
#include "fastformer/base/suggest.h"
#include "support/temporary_folder.h"

namespace fastformer::base {
namespace {

struct Settings {
  bool on = false;
  std::int64_t count = 3;
  double rate = 0.5;
  std::string kind = "a";
  std::vector<std::string> names;

  template <class Self, class Visitor>
  static void visit_fields(Self& self, Visitor&& visit) {
    visit("on", self.on, "");
    visit("count", self.count, "", between(1, 9));
    visit("rate", self.rate, "");
    visit("kind", self.kind, "", one_of({"a", "b"}));
    visit("names", self.names, "");
  }
  void validate() const {
    if (on && count == 9) throw std::invalid_argument("on and 9 do not go together");
  }
};

Settings read(const ConfigTree& tree) {
  Settings settings;
  tree.read_section("s", settings);
  return settings;
}

TEST(ConfigTree, ReadsTomlAndKeepsDefaults) {
  const testing::TemporaryFolder folder;
  const auto path =
      folder.write("r.toml", "[s]\non = true\nrate = 2\nkind = \"b\"\nnames = [\"x\", \"y\"]\n");
  const auto settings = read(ConfigTree::from_toml(path));
  EXPECT_TRUE(settings.on);
  EXPECT_EQ(settings.count, 3);
  EXPECT_EQ(settings.rate, 2);
  EXPECT_EQ(settings.names, (std::vector<std::string>{"x", "y"}));
}

TEST(ConfigTree, WritesWhatItReads) {
  Settings settings{true, 4, 0.1, "b", {"quote \" and \\ back"}};
  ConfigTree tree;
  tree.write_section("s", settings);
  const testing::TemporaryFolder folder;
  for (const auto& again : {ConfigTree::from_toml(folder.write("r.toml", tree.to_toml())),
                            ConfigTree::from_json(tree.to_json(), "r.json")}) {
    const auto read_back = read(again);
    EXPECT_EQ(read_back.rate, 0.1);
    EXPECT_EQ(read_back.names, settings.names);
    EXPECT_EQ(read_back.count, 4);
  }
}

TEST(ConfigTree, RefusesWithFileLineAndNearestKey) {
  const testing::TemporaryFolder folder;
  const auto error = [&](const std::string& toml) {
    return testing::error_of([&] {
      const auto tree = ConfigTree::from_toml(folder.write("r.toml", toml));
      tree.check_sections({"s"});
      read(tree);
    });
  };
  EXPECT_MENTIONS(error("[s]\n\ncoumt = 4\n"), "r.toml:3", "coumt", "did you mean 'count'");
  EXPECT_MENTIONS(error("[s]\ncount = 10\n"), "r.toml:2", "s.count");
  EXPECT_MENTIONS(error("[s]\ncount = \"ten\"\n"), "r.toml:2", "s.count");
  EXPECT_MENTIONS(error("[s]\ncount = 1.5\n"), "s.count");
  EXPECT_MENTIONS(error("[s]\nkind = \"c\"\n"), "s.kind");
  EXPECT_MENTIONS(error("[s]\non = 1\n"), "s.on");
  EXPECT_MENTIONS(error("[s]\non = true\ncount = 9\n"), "do not go together");
  EXPECT_MENTIONS(error("[t]\nx = 1\n"), "unknown section [t]");
  EXPECT_MENTIONS(error("[s\n"), "r.toml:1");
  EXPECT_MENTIONS(testing::error_of([] { ConfigTree::from_toml("gone.toml"); }), "gone.toml");
  EXPECT_MENTIONS(testing::error_of([] { ConfigTree::from_json("[1]", "m.json"); }), "m.json");
  EXPECT_MENTIONS(testing::error_of([] { ConfigTree().set("no assignment"); }), "no assignment");
}

TEST(Suggest, FindsTheNearestWord) {
  EXPECT_EQ(nearest("epoks", {"epochs", "seed"}), "epochs");
  EXPECT_EQ(nearest("xyzzy", {"epochs", "seed"}), "");
  EXPECT_NE(suggestion("xyzzy", {"epochs", "seed"}).find("valid: epochs, seed"), std::string::npos);
}

TEST(Format, IsPrintf) { EXPECT_EQ(format("%s %.2f", "a", 0.125), "a 0.12"); }

}  // namespace
}  // namespace fastformer::base

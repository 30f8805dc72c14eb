#include "fastformer/base/config_tree.h"

#include <gtest/gtest.h>

#include "fastformer/base/format.h"
#include "support/temporary_folder.h"

namespace fastformer::base {

enum class Kind : std::uint8_t { kPlain, kFancy };

template <>
inline constexpr std::array kWords<Kind> = {"plain", "fancy"};

namespace {

struct Settings {
  bool on = false;
  std::int64_t count = 3;
  double rate = 0.5;
  std::string kind = "a";
  std::vector<std::string> names;

  void visit_fields(FieldVisitor& visit) {
    visit("on", on, "");
    visit("count", count, "", between(1, 9));
    visit("rate", rate, "");
    visit("kind", kind, "", one_of({"a", "b"}));
    visit("names", names, "");
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

TEST(ConfigTree, SaysHowToWriteAPathWithBackslashes) {
  const testing::TemporaryFolder folder;
  const auto error = [&](const std::string& path) {
    const auto file = folder.write("r.toml", "[data]\ntrain = [\"" + path + "\"]\n");
    return testing::error_of([&] { ConfigTree::from_toml(file); });
  };
  for (const auto* path : {R"(C:\Users\me\x.csv)", R"(data\x.csv)", R"(C:\update.csv)"}) {
    EXPECT_MENTIONS(error(path), "r.toml:2", "a backslash between double quotes", "in '...'");
  }
  EXPECT_EQ(error(R"(C:\\Users\\me\\x.csv)"), "");
  EXPECT_EQ(error("C:/Users/me/x.csv"), "");
}

struct Inner {
  std::string name = "first";
  std::int64_t size = 1;

  void visit_fields(FieldVisitor& visit) {
    visit("name", name, "", one_of({"first", "second"}));
    // A table may have other fields for another name.
    if (name == "second") visit("size", size, "", between(1, 9));
  }
};

struct Outer {
  Kind kind = Kind::kPlain;
  Inner inner;

  void visit_fields(FieldVisitor& visit) {
    visit("kind", kind, "");
    visit.table("inner", inner, "");
  }
  void validate() const {}
};

Outer read_outer(const ConfigTree& tree) {
  Outer outer;
  tree.read_section("s", outer);
  return outer;
}

TEST(ConfigTree, ReadsTablesAndWordsOfEnums) {
  const testing::TemporaryFolder folder;
  const auto toml = "[s]\nkind = \"fancy\"\n[s.inner]\nname = \"second\"\nsize = 7\n";
  auto tree = ConfigTree::from_toml(folder.write("r.toml", toml));
  EXPECT_EQ(read_outer(tree).kind, Kind::kFancy);
  EXPECT_EQ(read_outer(tree).inner.size, 7);
  tree.set("s.inner.size=8");
  EXPECT_EQ(read_outer(tree).inner.size, 8);

  ConfigTree written;
  written.write_section("s", read_outer(tree));
  for (const auto& again : {ConfigTree::from_toml(folder.write("w.toml", written.to_toml())),
                            ConfigTree::from_json(written.to_json(), "w.json")}) {
    EXPECT_EQ(read_outer(again).kind, Kind::kFancy);
    EXPECT_EQ(read_outer(again).inner.name, "second");
    EXPECT_EQ(read_outer(again).inner.size, 8);
  }
}

TEST(ConfigTree, TakesATextForTheFirstFieldOfATable) {
  ConfigTree tree;
  tree.set("s.inner.name=second");
  tree.set("s.inner.size=3");
  tree.set("s.inner=first");  // replaces all of the table
  EXPECT_EQ(read_outer(tree).inner.name, "first");
  tree.set("s.inner=second");
  tree.set("s.inner.size=4");
  EXPECT_EQ(read_outer(tree).inner.size, 4);
}

TEST(ConfigTree, RefusesWhatATableDoesNotHave) {
  const testing::TemporaryFolder folder;
  const auto error = [&](const std::string& toml) {
    return testing::error_of(
        [&] { read_outer(ConfigTree::from_toml(folder.write("r.toml", toml))); });
  };
  EXPECT_MENTIONS(error("[s]\nkind = \"fancey\"\n"), "r.toml:2", "s.kind", "fancey",
                  "did you mean 'fancy'");
  EXPECT_MENTIONS(error("[s.inner]\nsize = 2\n"), "r.toml:2", "size", "[s.inner]", "valid: name");
  EXPECT_MENTIONS(error("[s.iner]\nname = \"first\"\n"), "r.toml:1", "iner",
                  "did you mean 'inner'");
  EXPECT_MENTIONS(error("[s]\ninner = 3\n"), "r.toml:2", "s.inner", "table");
  EXPECT_MENTIONS(error("[s]\ninner = \"third\"\n"), "r.toml:2", "s.inner", "third");
  EXPECT_MENTIONS(error("[s.a.b.c.d]\nx = 1\n"), "nested too deeply");
}

TEST(ConfigField, FindsTheWordsOfAnEnum) {
  EXPECT_STREQ(word_of(Kind::kFancy), "fancy");
  EXPECT_EQ(parse_word<Kind>("plain", "--kind"), Kind::kPlain);
  EXPECT_MENTIONS(testing::error_of([] { parse_word<Kind>("plian", "--kind"); }), "--kind",
                  "did you mean 'plain'");
}

TEST(Suggest, FindsTheNearestWord) {
  EXPECT_EQ(nearest("epoks", {"epochs", "seed"}), "epochs");
  EXPECT_EQ(nearest("xyzzy", {"epochs", "seed"}), "");
  EXPECT_NE(suggestion("xyzzy", {"epochs", "seed"}).find("valid: epochs, seed"), std::string::npos);
}

TEST(Format, IsPrintf) { EXPECT_EQ(format("%s %.2f", "a", 0.125), "a 0.12"); }

}  // namespace
}  // namespace fastformer::base

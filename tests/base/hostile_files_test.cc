// Files that are small but would cost much, or whose content would decide what a message looks
// like.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <new>
#include <string>
#include <vector>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/config_tree.h"
#include "fastformer/base/model_directory.h"
#include "fastformer/base/out_of_memory.h"
#include "fastformer/base/strict_json.h"
#include "fastformer/base/toml_file.h"
#include "support/temporary_folder.h"

namespace fastformer::base {
namespace {

namespace fs = std::filesystem;

std::string repeated(const std::string& text, int count) {
  std::string result;
  for (int i = 0; i < count; ++i) result += text;
  return result;
}

TEST(HostileToml, KeysOfManyPartsAreRefused) {
  const testing::TemporaryFolder folder;
  for (const auto& text :
       {"[a" + repeated(".a", 40'000) + "]\n", "a" + repeated(" . a", 40'000) + " = 1\n",
        "[a]\n\"x\"" + repeated(".\"x\"", 40'000) + " = 1\n"}) {
    const auto file = folder.write("r.toml", text);
    EXPECT_MENTIONS(testing::error_of([&] { ConfigTree::from_toml(file); }), "r.toml:", "64 parts");
  }
  const auto large = folder.write("r.toml", repeated("# comment\n", 200'000));
  EXPECT_MENTIONS(testing::error_of([&] { ConfigTree::from_toml(large); }), "1 MB");
  EXPECT_EQ(parse_toml("a = \"1.2.3\" # " + repeated("v. ", 50), "r.toml").size(), 1u);
}

TEST(HostileToml, NamesWithDotsAreRefused) {
  // They could name a table of another section, which each key would replace.
  const testing::TemporaryFolder folder;
  for (const std::string text : {"[\"a.b\"]\n", "[a]\n\"b.c\" = 1\n", "[a.\"b.c\"]\nd = 1\n"}) {
    const auto file = folder.write("r.toml", "[a.b]\n" + text);
    EXPECT_MENTIONS(testing::error_of([&] { ConfigTree::from_toml(file); }), "r.toml:", "a dot");
  }
  for (const std::string text :
       {R"({"a.b":{}})", R"({"a":{"b.c":1}})", R"({"a":{"b":{"c.d":{}}}})"}) {
    EXPECT_MENTIONS(testing::error_of([&] { ConfigTree::from_json(text, "c.json"); }), "c.json",
                    "a dot");
  }
}

TEST(HostileToml, AnAssignmentMayHoldAnything) {
  ConfigTree tree;
  tree.set("data.train=н");
  tree.set("data.test=a" + repeated(".a", 40'000));
  EXPECT_TRUE(tree.contains("data", "train"));
  EXPECT_TRUE(tree.contains("data", "test"));
}

TEST(HostileJson, DepthAndNamesAreLimited) {
  using Json = nlohmann::json;
  const auto error = [](const std::string& text) {
    return testing::error_of([&] { parse_strict_json<Json>(text, "a.json"); });
  };
  EXPECT_EQ(error(repeated("[", 60) + repeated("]", 60)), "");
  EXPECT_MENTIONS(error(repeated("[", 100'000) + repeated("]", 100'000)), "a.json", "levels deep");
  EXPECT_MENTIONS(error(repeated("{\"a\":", 100'000)), "levels deep");
  EXPECT_MENTIONS(error(R"({"a":{"b":1,"b":2}})"), "'b'", "twice");
  EXPECT_EQ(error(R"({"a":{"b":1},"c":{"b":2},"b":[{"b":1}]})"), "");
  // Equal to what nlohmann makes of it.
  const std::string text = R"({"x":[1,-2.5,true,null,"é"],"y":{"z":{}}})";
  EXPECT_EQ(parse_strict_json<Json>(text, ""), Json::parse(text));
  EXPECT_MENTIONS(error("{\"a\":\"\xff\nb\"}"), "a.json", "not valid JSON");
  std::string names = "{\"n\":1";
  for (int i = 0; i < 20'000; ++i) names += ",\"" + std::to_string(i) + "\":{}";
  EXPECT_EQ(error(names + "}"), "");
  EXPECT_MENTIONS(testing::error_of([&] { ConfigTree::from_json(names + "}", "a.json"); }),
                  "a.json", "names");
}

TEST(HostileJson, MessagesQuoteLittle) {
  const std::string name = repeated("k\n", 100'000);
  ConfigTree tree =
      ConfigTree::from_json(nlohmann::json{{"train", {{name, "v"}}}}.dump(), "config.json");
  struct {
    void visit_fields(FieldVisitor& visit) { visit("epochs", epochs, "passes"); }
    void validate() const {}
    std::int64_t epochs = 0;
  } train;
  const auto error = testing::error_of([&] { tree.read_section("train", train); });
  EXPECT_MENTIONS(error, "unknown key 'k\\x0ak");
  EXPECT_LT(error.size(), 400u);
}

TEST(HostileToml, WhatHasNoEndIsRefused) {
  EXPECT_MENTIONS(testing::error_of([&] { ConfigTree::from_toml("/dev/zero"); }), "/dev/zero",
                  "1 MB");
  EXPECT_EQ(read_file("/dev/zero", 100'000).size(), 100'000u);
}

TEST(HostileFiles, PipesAreNoSettings) {
  const testing::TemporaryFolder folder;
  ASSERT_EQ(mkfifo((folder / "config.json").c_str(), 0600), 0);
  for (const auto& path : {folder / "config.json", fs::path("/dev/zero")}) {
    EXPECT_MENTIONS(testing::error_of([&] { read_small_file(path); }), path.string(),
                    "not a regular file");
  }
  EXPECT_EQ(testing::error_of([&] { check_regular_file(folder / "none"); }), "");
}

TEST(OutOfMemory, NamesWhatWasTooLarge) {
  const auto error = [](const auto& work) {
    return testing::error_of<OutOfMemory>(
        [&] { naming_memory([] { return std::string("a batch of 3 texts"); }, work); });
  };
  EXPECT_EQ(error([] { throw std::bad_alloc(); }),
            "there is not enough memory for a batch of 3 texts");
  EXPECT_EQ(error([] { throw OutOfMemory("a tensor of 9 MB"); }),
            "there is not enough memory for a batch of 3 texts (a tensor of 9 MB)");
  EXPECT_EQ(error([] {}), "");
  EXPECT_EQ(naming_memory([] { return std::string(); }, [] { return 3; }), 3);
}

class ModelPlace : public ::testing::Test {
 protected:
  void write(const fs::path& place) {
    write_model_directory(place, "classifier", {}, "card",
                          [](const fs::path& fresh) { EXPECT_TRUE(fs::exists(fresh)); });
  }
  testing::TemporaryFolder folder_;
};

TEST_F(ModelPlace, WhatIsNotAModelIsNeverReplaced) {
  fs::create_directory(folder_ / "documents");
  folder_.write("documents/letter.txt", "dear");
  EXPECT_MENTIONS(testing::error_of([&] { write(folder_ / "documents"); }), "documents",
                  "other than a model");
  EXPECT_TRUE(fs::exists(folder_ / "documents/letter.txt"));
  folder_.write("file", "x");
  EXPECT_MENTIONS(testing::error_of([&] { write(folder_ / "file"); }), "other than a model");
}

TEST_F(ModelPlace, AModelDoesNotTellFolders) {
  struct Data {
    std::vector<std::string> train = {"/home/ann/reviews/train.csv", "data/", "-", ""};
    std::string cache = "/home/ann/cache/", column = "/home/text";
    void visit_fields(FieldVisitor& visit) {
      visit("train", train, "files", file_path());
      visit("cache", cache, "folder", file_path());
      visit("column", column, "no file");
    }
    void validate() const {}
  };
  ConfigTree tree;
  tree.write_section("data", Data{});
  write_model_directory(folder_ / "model", "classifier", tree, "card", [](const auto&) {});
  const auto config = read_file(folder_ / "model/config.json");
  EXPECT_EQ(config.find("ann"), std::string::npos) << config;
  const auto data = nlohmann::json::parse(config)["data"];
  EXPECT_EQ(data["train"], nlohmann::json({"train.csv", "data", "-", ""}));
  EXPECT_EQ(data["cache"], "cache");
  EXPECT_EQ(data["column"], "/home/text");
  EXPECT_MENTIONS(tree.to_toml(), "/home/ann/reviews/train.csv");  // a run keeps them
}

TEST_F(ModelPlace, WhatLiesBesideAModelStays) {
  for (const auto* name : {"model.old", "model.new"}) {
    fs::create_directory(folder_ / name);
    folder_.write(std::string(name) + "/backup", "mine");
  }
  write(folder_ / "model");
  folder_.write("model/notes.txt", "mine");
  folder_.write("model/README.md", "mine, but generated");
  write(folder_ / "model");
  EXPECT_EQ(kind_of_model(folder_ / "model"), "classifier");
  for (const auto* name : {"model.old/backup", "model.new/backup", "model/notes.txt"}) {
    EXPECT_TRUE(fs::exists(folder_ / name)) << name;
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_.path()), {}), 3);
}

}  // namespace
}  // namespace fastformer::base

#include "fastformer/base/fresh_path.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "fastformer/base/atomic_file.h"
#include "support/temporary_folder.h"

namespace fastformer::base {
namespace {

namespace fs = std::filesystem;

std::set<std::string> names_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename());
  return names;
}

TEST(FreshPath, NamesAreNeverTheSame) {
  std::set<fs::path> names;
  for (int i = 0; i < 1000; ++i) names.insert(fresh_name("model"));
  EXPECT_EQ(names.size(), 1000u);
  EXPECT_TRUE(names.begin()->string().starts_with("model.tmp."));
}

TEST(FreshPath, WhatIsNotMovedIsRemoved) {
  const testing::TemporaryFolder folder;
  {
    const FreshFile file(folder / "a");
    const FreshFolder fresh(folder / "b");
    write_file_atomically(fresh.path() / "inside", std::string_view("x"));
    EXPECT_EQ(names_in(folder.path()).size(), 2u);
  }
  EXPECT_TRUE(fs::is_empty(folder.path()));
  EXPECT_MENTIONS(testing::error_of<std::runtime_error>([&] { FreshFile(folder / "no/a"); }),
                  "no/a");
}

TEST(FreshPath, AFolderChangesPlacesWithTheFormerOne) {
  const testing::TemporaryFolder folder;
  fs::create_directory(folder / "place");
  folder.write("place/old", "1");
  {
    FreshFolder fresh(folder / "place");
    write_file_atomically(fresh.path() / "new", std::string_view("2"));
    EXPECT_FALSE(FreshFolder(folder / "place").move_into_free_place());
    fresh.move_into_place();
    EXPECT_EQ(names_in(folder / "place"), std::set<std::string>{"new"});
    EXPECT_EQ(names_in(fresh.path()), std::set<std::string>{"old"});
  }
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>{"place"});
  FreshFolder other(folder / "free");
  EXPECT_TRUE(other.move_into_free_place());
  EXPECT_TRUE(fs::is_directory(folder / "free"));
}

TEST(FreshPath, OnlyWhatAKilledProcessLeftIsRemoved) {
  const testing::TemporaryFolder folder;
  folder.write("step-1.safetensors.tmp.notours", "");
  fs::create_directory(folder / "model.old");
  const pid_t child = fork();
  if (child == 0) {
    const FreshFile file(folder / "a");
    const FreshFolder fresh(folder / "b");
    _exit(0);
  }
  waitpid(child, nullptr, 0);
  const FreshFolder living(folder / "c");
  const FreshFile file(folder / "d");
  EXPECT_EQ(names_in(folder.path()).size(), 6u);
  remove_leftovers(folder.path());
  const auto names = names_in(folder.path());
  EXPECT_EQ(names.size(), 4u);
  EXPECT_TRUE(names.contains("model.old"));
  EXPECT_TRUE(names.contains("step-1.safetensors.tmp.notours"));
  EXPECT_TRUE(fs::exists(living.path()));
  remove_leftovers(folder / "none");
}

TEST(FreshPath, WritingAgainRemovesWhatWasLeftOfTheSamePlace) {
  const testing::TemporaryFolder folder;
  const FreshFile living(folder / "a.csv");
  const auto left = folder.write("a.csv.tmp.0123456789ab", "half");
  const std::vector<std::string> others = {"b.csv.tmp.0123456789ab", "a.csv.tmp.x",
                                           "a.csv.tmp.b.tmp.0123456789ab"};
  for (const auto& name : others) folder.write(name, "mine");
  write_file_atomically(folder / "a.csv", "whole");
  EXPECT_FALSE(std::filesystem::exists(left));
  for (const auto& name : others) EXPECT_TRUE(std::filesystem::exists(folder / name)) << name;
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 5);
}

TEST(SmallFile, IsARegularFileOfBoundedSize) {
  const testing::TemporaryFolder folder;
  EXPECT_EQ(read_small_file(folder.write("a", "text")), "text");
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_MENTIONS(testing::error_of([&] { read_small_file(folder / "pipe"); }), "pipe",
                  "not a regular file");
  EXPECT_MENTIONS(testing::error_of([&] { read_small_file("/dev/zero"); }), "not a regular file");
  fs::resize_file(folder / "a", kMostSmallBytes + 1);
  EXPECT_MENTIONS(testing::error_of([&] { read_small_file(folder / "a"); }), "64 MB");
  EXPECT_MENTIONS(testing::error_of([&] { read_small_file(folder / "none"); }), "none");
}

}  // namespace
}  // namespace fastformer::base

#include "fastformer/recommendation/readers/user_requests.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/temporary_folder.h"

namespace fastformer::recommendation {
namespace {

using Ids = std::vector<std::string>;
using testing::error_of;
using testing::TemporaryFolder;

std::vector<UserRequest> read(const std::filesystem::path& file,
                              RequestFormat format = RequestFormat::kAuto) {
  UserRequestReader reader(file.string(), format, DataConfig());
  std::vector<UserRequest> all;
  for (UserRequest request; reader.next(request);) all.push_back(request);
  return all;
}

TEST(UserRequests, JsonLinesNameUserHistoryAndCandidates) {
  const TemporaryFolder folder;
  const auto requests =
      read(folder.write("users.jsonl",
                        "{\"user\": \"U1\", \"history\": [\"N1\", 7]}\n\n"
                        "{\"history\": [], \"candidates\": [\"N3\"]}\n"
                        "{\"user\": 5, \"history\": null, \"candidates\": []}\n"));
  ASSERT_EQ(requests.size(), 3U);
  EXPECT_EQ(requests[0].user, "U1");
  EXPECT_EQ(requests[0].history, (Ids{"N1", "7"}));
  EXPECT_FALSE(requests[0].candidates);
  EXPECT_EQ(requests[1].user, "");
  EXPECT_TRUE(requests[1].history.empty());
  EXPECT_EQ(requests[1].candidates, Ids{"N3"});
  EXPECT_EQ(requests[2].user, "5");
  EXPECT_EQ(requests[2].candidates, Ids{});
}

TEST(UserRequests, ImpressionsShowTheCandidates) {
  const TemporaryFolder folder;
  const std::string time = "\t11/15/2019 8:55:22 AM\t";
  folder.write("behaviors.tsv", "1\tU1" + time + "N1 N2\tN3-1 N4-0\n2\tU2" + time + "\t\n");
  for (const auto& source : {folder / "behaviors.tsv", folder.path()}) {
    const auto requests = read(source);
    ASSERT_EQ(requests.size(), 2U);
    EXPECT_EQ(requests[0].user, "U1");
    EXPECT_EQ(requests[0].history, (Ids{"N1", "N2"}));
    EXPECT_EQ(requests[0].candidates, (Ids{"N3", "N4"}));
    EXPECT_TRUE(requests[1].history.empty());
    EXPECT_FALSE(requests[1].candidates);
  }
  const auto blind = read(folder.write("blind.tsv", "1\tU1" + time + "N1\tN3 N4\n"));
  EXPECT_EQ(blind[0].candidates, (Ids{"N3", "N4"}));
}

TEST(UserRequests, BadRecordsAreRefusedByFileAndLine) {
  const TemporaryFolder folder;
  const auto refused = [&](const std::string& name, const std::string& content) {
    return error_of([&] { read(folder.write(name, content)); });
  };
  EXPECT_MENTIONS(refused("a.jsonl", "{\"history\": []}\n{\"user\": \"U\"}\n"), "a.jsonl:2",
                  "'history'");
  EXPECT_MENTIONS(refused("a.jsonl", "{\"history\": [], \"candidate\": []}\n"), "a.jsonl:1",
                  "'candidate'", "did you mean 'candidates'?");
  EXPECT_MENTIONS(refused("a.jsonl", "{\"history\": \"N1\"}\n"), "a.jsonl:1", "list of ids");
  EXPECT_MENTIONS(refused("a.jsonl", "{\"history\": [[1]]}\n"), "array", "an id was expected");
  EXPECT_MENTIONS(refused("a.jsonl", "{\"history\": [1.5]}\n"), "an id was expected");
  EXPECT_MENTIONS(refused("a.jsonl", "{\n"), "a.jsonl:1", "not valid JSON");
  EXPECT_MENTIONS(refused("a.tsv", "1\tU1\n"), "a.tsv:1", "2 columns");
  EXPECT_MENTIONS(refused("a.tsv", "1\tU\tt\tN1\tN2-1 N3\n"), "a.tsv:1", "'N3'", "no label");
  EXPECT_MENTIONS(refused("users.txt", "N1\n"), "users.txt", "--format jsonl");
}

TEST(UserRequests, BatchesEndWithTheFile) {
  const TemporaryFolder folder;
  const auto file =
      folder.write("a.jsonl", "{\"history\": []}\n{\"history\": []}\n{\"history\": []}\n");
  UserRequestReader reader(file.string(), RequestFormat::kAuto, DataConfig());
  EXPECT_EQ(reader.next_batch(2).size(), 2U);
  EXPECT_EQ(reader.next_batch(2).size(), 1U);
  EXPECT_TRUE(reader.next_batch(2).empty());
}

}  // namespace
}  // namespace fastformer::recommendation

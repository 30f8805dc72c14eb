#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "cli/program.h"

namespace fastformer::cli {
namespace {

constexpr std::size_t kRows = 1 + 3 * 3 * 2;  // a header; mixers, lengths, passes

Words command_for(const std::string& output) {
  return {"efficiency", "--output",  output,           "--mixers", "additive,softmax,linear",
          "--lengths",  "16,64,256", "--tokens",       "1024",     "--rounds",
          "3",          "--set",     "model.width=32", "--set",    "model.heads=2",
          "--threads",  "1"};
}

Words lines_of(const std::string& text) {
  Words lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// "additive,training,64": what a row is about.
std::string cell_of(const std::string& row) {
  std::size_t end = 0;
  for (int comma = 0; comma < 3; ++comma) end = row.find(',', end) + 1;
  return row.substr(0, end - 1);
}

TEST(EfficiencyCommand, MeasuresEveryCellOnceAndNoneAgain) {
  const testing::TemporaryFolder folder;
  const auto output = (folder / "study").string();
  const auto first = run_program(command_for(output));
  ASSERT_EQ(first.code, 0) << first.output;
  EXPECT_MENTIONS(first.output, "additive", "softmax", "linear", "efficiency.md");
  const auto csv = content_of(folder / "study/efficiency.csv");
  EXPECT_EQ(lines_of(csv).size(), kRows);
  const auto table = content_of(folder / "study/efficiency.md");
  EXPECT_EQ(run_program(command_for(output)).code, 0);
  EXPECT_EQ(content_of(folder / "study/efficiency.csv"), csv);
  EXPECT_EQ(content_of(folder / "study/efficiency.md"), table);
}

TEST(EfficiencyCommand, BadInputGetsOneSentence) {
  const testing::TemporaryFolder folder;
  const auto output = (folder / "study").string();
  expect_refusal(run_program({"efficiency", "--output", output, "--mixers", "aditive"}),
                 {"aditive"});
  expect_refusal(run_program({"efficiency", "--output", output, "--set", "model.widht=8"}),
                 {"did you mean 'width'"});
  folder.write("file", "");
  const auto inside = (folder / "file/study").string();
  expect_refusal(run_program({"efficiency", "--output", inside}), {inside, "cannot be created"});
  std::filesystem::create_directories(folder / "study");
  folder.write("study/efficiency.csv", "mixer,pass\nadditive\n");
  expect_refusal(run_program(command_for(output)),
                 {"efficiency.csv, line 1", "expected the header"});
}

TEST(EfficiencyCommandSlow, KilledAtTenMomentsItKeepsWhatItMeasured) {
  const testing::TemporaryFolder folder;
  const auto command = command_for((folder / "killed").string());
  const auto rows = [&] { return lines_of(content_of(folder / "killed/efficiency.csv")); };
  std::mt19937 random(20210820);
  for (int i = 0; i < 10; ++i) {
    const auto before = rows();
    const pid_t child = start_program(command, folder / "log");
    while (rows().size() <= before.size()) {  // one cell more
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 5000));
    kill(child, SIGKILL);
    wait_for(child);
    const auto now = rows();
    ASSERT_GT(now.size(), before.size());
    EXPECT_TRUE(std::equal(before.begin(), before.end(), now.begin()));
    if (now.size() > kRows - 4) std::filesystem::remove(folder / "killed/efficiency.csv");
  }
  const auto before = rows();
  ASSERT_EQ(run_program(command).code, 0);
  const auto all = rows();
  ASSERT_EQ(all.size(), kRows);
  EXPECT_TRUE(std::equal(before.begin(), before.end(), all.begin()));
  std::set<std::string> cells;
  for (const auto& row : all) cells.insert(cell_of(row));
  EXPECT_EQ(cells.size(), kRows) << "a cell was measured twice";
}

}  // namespace
}  // namespace fastformer::cli

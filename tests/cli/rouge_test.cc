#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/program.h"

namespace fastformer::cli {
namespace {

class RougeCommand : public ::testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& content) {
    return folder_.write(name, content).string();
  }
  void expect_refusal(const std::vector<std::string>& arguments,
                      const std::vector<std::string>& words, int code = 1) {
    const auto outcome = run_program(arguments);
    EXPECT_EQ(outcome.code, code) << outcome.output;
    for (const auto& word : words) {
      EXPECT_NE(outcome.output.find(word), std::string::npos) << word << " in " << outcome.output;
    }
  }
  double mean(std::vector<std::string> arguments, const std::string& kind) {
    arguments.insert(arguments.begin(), "rouge");
    arguments.push_back("--json");
    const auto outcome = run_program(arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.output;
    return nlohmann::json::parse(outcome.output).at(kind).at("f").at("mean").get<double>();
  }
  testing::TemporaryFolder folder_;
};

TEST_F(RougeCommand, PrintsATable) {
  const auto candidates = write("c.txt", "the cat sat\n\n"), references = write("r.txt", "a\nb\n");
  const auto outcome = run_program({"rouge", candidates, candidates, "--stem"});
  EXPECT_EQ(outcome.code, 0) << outcome.output;
  // One of two pairs is perfect: the interval is as wide as it can be.
  EXPECT_NE(outcome.output.find("2 pairs, words stemmed"), std::string::npos) << outcome.output;
  EXPECT_NE(outcome.output.find("rougeLsum  0.5000 [0.0000, 1.0000]"), std::string::npos)
      << outcome.output;
  EXPECT_EQ(mean({candidates, references}, "rouge1"), 0);
}

TEST_F(RougeCommand, AnErrorNamesThePair) {
  std::string words;
  for (int i = 0; i < 70'000; ++i) words += "a ";
  const auto candidates = write("c.txt", "a\n" + words + "\n"),
             references = write("r.txt", "a\na\n");
  expect_refusal({"rouge", candidates, references}, {"c.txt:2", "70000 words", "too long"});
}

TEST_F(RougeCommand, SentencesArePartedByAMarkOrAreLists) {
  const auto candidates = write("c.txt", "b b\\na a\n"), references = write("r.txt", "a a\\nb b\n");
  EXPECT_EQ(mean({candidates, references}, "rougeLsum"), 1);
  EXPECT_EQ(mean({candidates, references}, "rougeL"), 0.5);
  const auto marked = write("m.txt", "b b <q> a a\n"), other = write("o.txt", "a a <q> b b\n");
  EXPECT_EQ(mean({marked, other, "--sentences", "<q>"}, "rougeLsum"), 1);
  const auto json =
      write("p.jsonl", "{\"mine\": [\"b b\", \"a a\"], \"gold\": \"a a\\nb b\", \"id\": 1}\n");
  EXPECT_EQ(mean({json, "--candidate-field", "mine", "--reference-field", "gold"}, "rougeLsum"), 1);
}

TEST_F(RougeCommand, WritesTheScoresOfEachPair) {
  const auto candidates = write("c.txt", "runs\nx y\n"),
             references = write("r.txt", "running\nx\n");
  const auto each = (folder_ / "each.jsonl").string();
  EXPECT_EQ(run_program({"rouge", candidates, references, "--stem", "--pairs", each}).code, 0);
  const auto lines = content_of(each);
  EXPECT_TRUE(lines.starts_with("{\"rouge1\":[1.0,1.0,1.0],")) << lines;
  EXPECT_NE(lines.find("\n{\"rouge1\":[0.5,1.0,0.666"), std::string::npos) << lines;
}

TEST_F(RougeCommand, RefusesWhatDoesNotMatch) {
  const auto one = write("1.txt", "a\n"), two = write("2.txt", "a\nb\n"), none = write("0.txt", "");
  expect_refusal({"rouge", one, two}, {"1.txt has 1 lines", "2.txt has 2 lines"});
  expect_refusal({"rouge", none, none}, {"0.txt", "is empty"});
  expect_refusal({"rouge", write("x.jsonl", "{\"candidat\": \"a\"}\n")},
                 {"x.jsonl:1", "'candidate'", "did you mean 'candidat'"});
  expect_refusal({"rouge", (folder_ / "missing").string(), one}, {"missing", "does not exist"});
  expect_refusal({"rouge"}, {"candidates"}, 2);
}

TEST_F(RougeCommand, OfSeveralReferencesTheBestCounts) {
  const auto candidates = write("c.txt", "the cat sat\n"), first = write("1.txt", "a dog ran\n"),
             second = write("2.txt", "the cat sat\n");
  EXPECT_EQ(mean({candidates, first, second}, "rougeL"), 1);
  EXPECT_EQ(mean({candidates, first}, "rougeL"), 0);
  const auto longer = write("3.txt", "the cat sat\nand more\n");
  expect_refusal({"rouge", candidates, second, longer}, {"c.txt has 1 lines", "3.txt has 2 lines"});
  const auto texts = write("p.jsonl",
                           "{\"candidate\": \"the cat sat\", "
                           "\"reference\": [\"the cat sat\", \"a dog ran far away today\"]}\n");
  EXPECT_EQ(mean({texts, "--several-references"}, "rouge1"), 1);
  EXPECT_EQ(mean({texts}, "rouge1"), 0.5);
  const auto lists = write("l.jsonl",
                           "{\"candidate\": \"the cat sat\", "
                           "\"reference\": [[\"the cat\", \"sat\"], [\"a dog\"]]}\n");
  EXPECT_EQ(mean({lists}, "rouge1"), 1);
}

TEST_F(RougeCommand, OtherScriptsNeedAnotherTokenizerWhichIsSaid) {
  const auto chinese = write("c.txt", "天气很好\n明天下雨\n");
  const auto outcome = run_program({"rouge", chinese, chinese});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_MENTIONS(outcome.output, "2 of 2 references have no word", "--tokenizer unicode");
  EXPECT_EQ(mean({chinese, chinese, "--tokenizer", "unicode"}, "rouge1"), 1);
  EXPECT_EQ(mean({chinese, chinese, "--tokenizer", "character"}, "rouge2"), 1);
  const auto english = write("e.txt", "fine weather\n");
  EXPECT_EQ(run_program({"rouge", english, english}).output.find("no word"), std::string::npos);
  expect_refusal({"rouge", chinese, chinese, "--tokenizer", "unicode", "--stem"}, {"--stem"});
}

}  // namespace
}  // namespace fastformer::cli

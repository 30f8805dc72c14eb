#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/program.h"
#include "fastformer/base/format.h"

namespace fastformer::cli {
namespace {

namespace fs = std::filesystem;

/// Two variants and two seeds of a task that is trained within a second: four cells.
class TaskGrid {
 public:
  explicit TaskGrid(const std::string& recipe, const std::string& variant) {
    folder_.write("recipe.toml", recipe +
                                     "[train]\nbatch_size = 8\nepochs = 2\nlearning_rate = 0.02\n"
                                     "threads = 1\ncheckpoint_every = 3\nlog_every = 1\n");
    folder_.write("grid.toml", "[experiment]\nname = \"grid\"\noutput = \"" + path("out") +
                                   "\"\nseeds = [1, 2]\nkeep_models = false\n"
                                   "[[data]]\nname = \"small\"\nrecipe = \"" +
                                   path("recipe.toml") +
                                   "\"\n[[variant]]\nname = \"base\"\n"
                                   "[[variant]]\nname = \"other\"\nset = { " +
                                   variant + " }\n");
  }
  virtual ~TaskGrid() = default;

  Outcome run(const Words& more = {}) const {
    return run_program(with({"experiment", path("grid.toml")}, more));
  }
  Outcome train(const std::string& run) const {
    return run_program({"train", path("recipe.toml"), "--output", path(run)});
  }
  const testing::TemporaryFolder& folder() const { return folder_; }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string content(const std::string& name) const { return content_of(folder_ / name); }
  // The first line of a file that begins so.
  std::string line(const std::string& name, const std::string& start) const {
    const auto text = content(name);
    const auto begin = text.find("\n" + start) + 1;
    return begin == 0 ? "" : text.substr(begin, text.find('\n', begin) - begin);
  }

 private:
  testing::TemporaryFolder folder_;
};

/// RecBole's files: users who rate either films of war or of love.
class RankingGrid : public TaskGrid {
 public:
  RankingGrid()
      : TaskGrid(
            "[task]\nname = \"recommendation\"\n[data]\nformat = \"recbole\"\ntrain = [\"" +
                data_.path().string() +
                "\"]\nvalidation_fraction = 0.2\ntest_fraction = 0.2\nsampled_negatives = 4\n"
                "[text]\nminimum_count = 1\n[model]\nmodel = \"nrms\"\nwidth = 8\nheads = 2\n"
                "query_width = 8\nnegatives = 2\n[model.users]\nheads = 2\n",
            "\"model.model\" = \"fastformer\", model.ffn_width = 8, model.users.ffn_width = 8") {
    std::string items = "item_id:token\ttitle:token_seq\n", ratings;
    for (int i = 0; i < 20; ++i) {
      items += base::format("%d\t%s story %d\n", i, i % 2 == 0 ? "war" : "love", i / 2);
    }
    ratings = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n";
    for (int user = 0; user < 16; ++user) {
      for (int i = 0; i < 5; ++i) {
        ratings += base::format("u%d\t%d\t5\t%d\n", user, (user % 2 + 2 * (user + 3 * i)) % 20,
                                100 * i + user);
      }
    }
    data_.write("films.item", items);
    data_.write("films.inter", ratings);
  }

 private:
  inline static const testing::TemporaryFolder data_;
};

/// Documents of three sentences whose summary is in the second.
class SummaryGrid : public TaskGrid {
 public:
  SummaryGrid()
      : TaskGrid(
            base::format("[task]\nname = \"summarization\"\n[data]\ntrain = [\"%s\"]\n"
                         "test = [\"%s\"]\n[text]\nminimum_count = 1\n"
                         "[model]\nwidth = 8\nheads = 2\nlayers = 1\nffn_width = 8\n"
                         "max_positions = 0\n[model.decoder]\nlayers = 1\n"
                         "ffn_width = 8\nmax_positions = 16\n[search]\nbeams = 1\nmax_tokens = 8\n",
                         (data_ / "train.jsonl").c_str(), (data_ / "test.jsonl").c_str()),
            "\"model.mixer\" = \"linear\"") {
    data_.write("train.jsonl", pairs(24));
    data_.write("test.jsonl", pairs(6));
  }

 private:
  static std::string pairs(int count) {
    std::string lines;
    for (int i = 0; i < count; ++i) {
      const auto summary = base::format(i % 2 == 0 ? "oil falls %d" : "team wins %d", i % 9);
      lines += nlohmann::json({{"source", "All was calm . " + summary + " times . That was it ."},
                               {"target", summary}})
                   .dump() +
               "\n";
    }
    return lines;
  }

  inline static const testing::TemporaryFolder data_;
};

constexpr const char* kTaskCells[] = {"small/base/seed-1", "small/base/seed-2",
                                      "small/other/seed-1", "small/other/seed-2"};

void expect_whole_grid(const TaskGrid& grid, const std::string& metric, int test_items) {
  const auto outcome = grid.run();
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  EXPECT_MENTIONS(outcome.output, "[4/4] small/other/seed-2  " + metric + " 0.");
  for (const auto* cell : kTaskCells) {
    const auto folder = "out/" + std::string(cell);
    const auto items = grid.content(folder + "/test_items.csv");
    EXPECT_EQ(std::count(items.begin(), items.end(), '\n'), test_items + 1) << items;
    EXPECT_FALSE(nlohmann::json::parse(grid.content(folder + "/result.json"))["baselines"].empty());
    EXPECT_FALSE(fs::exists(grid.folder() / folder / "checkpoints"));
  }
  EXPECT_MENTIONS(grid.run({"--dry-run"}).output, "small/base/seed-1   finished     " + metric,
                  "4 cells, 0 to run");

  // A cell is what `train` gives with the same recipe, and a second run changes nothing.
  ASSERT_EQ(grid.train("alone").code, 0);
  EXPECT_EQ(grid.content("alone/test_items.csv"),
            grid.content("out/small/base/seed-1/test_items.csv"));
  const auto table = grid.content("out/results.md");
  ASSERT_EQ(grid.run().code, 0);
  EXPECT_EQ(grid.content("out/results.md"), table);
}

TEST(ExperimentOfRecommenders, IsTrainedComparedAndSetBesideBaselines) {
  const RankingGrid grid;
  expect_whole_grid(grid, "AUC", 16);
  EXPECT_MENTIONS(grid.content("out/results.md"), "16 test impressions.", "the test impressions",
                  "| AUC | MRR | nDCG@5 | nDCG@10 | AUC against base |", "| base | 2 | ");
  EXPECT_MENTIONS(grid.line("out/results.md", "| other |"), "], p ");
  for (const auto* name : {"random", "popularity"}) {
    EXPECT_FALSE(grid.line("out/results.md", base::format("| _%s_ | - | ", name)).empty()) << name;
  }
  EXPECT_EQ(grid.line("out/results.md", "| _category_"), "") << "the films have none";
  EXPECT_MENTIONS(grid.content("out/results.csv"), "state,auc,mrr,ndcg_5,ndcg_10,loss,test_items");

  // The mean over the items is the score.
  const auto result = nlohmann::json::parse(grid.content("out/small/base/seed-1/result.json"));
  std::istringstream items(grid.content("out/small/base/seed-1/test_items.csv"));
  std::string row;
  std::getline(items, row);
  EXPECT_EQ(row, "item,auc,mrr,ndcg_5,ndcg_10");
  double sum = 0;
  while (std::getline(items, row)) sum += std::stod(row.substr(row.find(',') + 1));
  EXPECT_NEAR(result["test"]["auc"].get<double>(), sum / 16, 1e-12);
}

TEST(ExperimentOfSummarizers, IsTrainedComparedAndSetBesideBaselines) {
  const SummaryGrid grid;
  expect_whole_grid(grid, "ROUGE-1", 6);
  EXPECT_MENTIONS(grid.content("out/results.md"), "6 test documents.",
                  "| ROUGE-1 | ROUGE-2 | ROUGE-L | ROUGE-1 against base |");
  EXPECT_MENTIONS(grid.line("out/results.md", "| other |"), "], p ");
  for (const auto* name : {"lead-1", "lead-3", "random-3", "oracle-3"}) {
    EXPECT_FALSE(grid.line("out/results.md", base::format("| _%s_ | - | ", name)).empty()) << name;
  }
  EXPECT_MENTIONS(grid.content("out/results.csv"),
                  "state,rouge_1,rouge_2,rouge_l,rouge_lsum,loss,test_items");
}

TEST(ExperimentOfRecommenders, ATestPartWithoutClicksFailsTheCell) {
  const RankingGrid grid;
  const auto news = grid.folder() / "mind";
  fs::create_directory(news);
  grid.folder().write("mind/news.tsv",
                      "N1\tnews\tnone\toil falls\ta\tu\t[]\t[]\nN2\tnews\tnone\tteam wins\ta\tu\t[]"
                      "\t[]\nN3\tnews\tnone\train\ta\tu\t[]\t[]\n");
  grid.folder().write("mind/behaviors.tsv",
                      "1\tU1\t11/15/2019 8:10:22 AM\tN1\tN2-1 N3-0\n"
                      "2\tU2\t11/15/2019 8:11:22 AM\tN2\tN3-1 N1-0\n");
  fs::create_directory(grid.folder() / "blind");
  fs::copy(news / "news.tsv", grid.folder() / "blind");
  grid.folder().write("blind/behaviors.tsv", "1\tU1\t11/15/2019 8:10:22 AM\tN1\tN2 N3\n");
  auto text = grid.content("grid.toml");
  text.replace(
      text.find("keep_models"), 0,
      base::format("set = { data = { format = \"mind\", train = [\"%s\"], test = [\"%s\"], "
                   "validation_fraction = 0, test_fraction = 0 } }\n",
                   news.c_str(), grid.path("blind").c_str()));
  grid.folder().write("grid.toml", text);
  const auto outcome = grid.run({"--only", "base/seed-1"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_MENTIONS(outcome.output, "small/base/seed-1  failed: ", "no labelled impressions");
}

}  // namespace
}  // namespace fastformer::cli

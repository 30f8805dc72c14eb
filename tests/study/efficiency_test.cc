#include "fastformer/study/efficiency.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <csignal>
#include <fstream>
#include <stdexcept>

#include "fastformer/nn/mixers/mixer.h"
#include "fastformer/study/efficiency_results.h"
#include "fastformer/train/stop_signal.h"
#include "support/temporary_folder.h"

namespace fastformer::study {
namespace {

EfficiencyOptions small_options() {
  EfficiencyOptions options;
  for (const auto& name : model::mixer_names()) options.mixers.emplace_back(name);
  options.lengths = {64, 16};
  options.tokens = 128;
  options.rounds = 1;
  options.encoder.width = 16;
  options.encoder.heads = 2;
  options.encoder.ffn_width = 16;
  return options;
}

std::vector<EfficiencyCell> measured(const EfficiencyOptions& options,
                                     const std::vector<EfficiencyCell>& known = {}) {
  std::vector<EfficiencyCell> cells;
  measure_efficiency(
      options, known, [] { return false; },
      [&](const EfficiencyCell& cell) { cells.push_back(cell); });
  return cells;
}

TEST(Efficiency, MeasuresEveryMixerAtEveryLength) {
  const auto options = small_options();
  const auto cells = measured(options);
  ASSERT_EQ(cells.size(), 2 * 2 * options.mixers.size());
  for (const auto& cell : cells) {
    EXPECT_TRUE(cell.measured()) << cell.mixer << ": " << cell.status;
    EXPECT_GT(cell.milliseconds, 0);
    EXPECT_LE(cell.low, cell.milliseconds);
    EXPECT_GE(cell.high, cell.milliseconds);
    EXPECT_GT(cell.peak_bytes, 0);
    EXPECT_GT(cell.operations, 2 * 128 * 16) << cell.mixer << " does not count";
  }
  // What is compared stands side by side.
  for (std::size_t i = 0; i < cells.size(); ++i) {
    EXPECT_EQ(cells[i].mixer, options.mixers[i % options.mixers.size()].name());
    EXPECT_EQ(cells[i].length, i / options.mixers.size() % 2 == 0 ? 16 : 64);
  }
}

TEST(Efficiency, MarksSinglePassesAndCountsTheOperationsOfThePass) {
  auto options = small_options();
  options.mixers = {model::MixerConfig("additive")};
  options.lengths = {16};
  options.budget_seconds = 1e-9;
  const auto cells = measured(options);
  ASSERT_EQ(cells.size(), 2);
  for (const auto& cell : cells) EXPECT_EQ(cell.status, "measured once");
  EXPECT_EQ(cells[1].operations, 3 * cells[0].operations);
  EXPECT_NE(efficiency_markdown(cells).find(" (one pass) |"), std::string::npos);
}

TEST(Efficiency, GoesOnWhereItWas) {
  const auto options = small_options();
  auto known = measured(options);
  known.resize(known.size() / 2);
  const auto rest = measured(options, known);
  EXPECT_EQ(rest.size(), known.size());
  for (const auto& cell : rest) {
    for (const auto& other : known) EXPECT_FALSE(cell.same_place(other));
  }
}

TEST(Efficiency, AStopEndsItAfterWholeLengths) {
  const auto options = small_options();
  const train::StopSignal stop;
  std::size_t reports = 0;
  measure_efficiency(
      options, {}, [&] { return stop.requested(); },
      [&](const EfficiencyCell&) {
        if (++reports == 3) std::raise(SIGTERM);
      });
  EXPECT_EQ(reports, options.mixers.size());
}

TEST(Efficiency, SkipsWhatWillNotFitTheBudget) {
  auto options = small_options();
  options.mixers = {model::MixerConfig("softmax")};
  options.passes = {"inference"};
  options.budget_seconds = 1;
  const std::vector<EfficiencyCell> known = {{.mixer = "softmax",
                                              .pass = "inference",
                                              .length = 16,
                                              .precision = "fp32",
                                              .threads = at::get_num_threads(),
                                              .milliseconds = 400,
                                              .status = "measured"}};
  const auto cells = measured(options, known);  // two layers, a quadratic cost: 3.2 s
  ASSERT_EQ(cells.size(), 1);
  EXPECT_EQ(cells[0].status, "skipped: about 3 s expected, 1 s allowed");
}

TEST(Efficiency, RefusesWhatCannotBeMeasured) {
  auto options = small_options();
  options.lengths = {256};
  EXPECT_THROW(options.validate(), std::invalid_argument);
  options = small_options();
  options.passes = {"backward"};
  EXPECT_THROW(options.validate(), std::invalid_argument);
  EXPECT_THROW(model::MixerConfig("quadratic"), std::invalid_argument);
}

EfficiencyCell cell_of(const std::string& mixer, std::int64_t length, double milliseconds) {
  return {.mixer = mixer,
          .pass = "inference",
          .length = length,
          .precision = "fp32",
          .threads = 2,
          .milliseconds = milliseconds,
          .low = milliseconds,
          .high = milliseconds,
          .peak_bytes = 7,
          .operations = 1e9,
          .status = "measured"};
}

TEST(EfficiencyResults, WriteWhatTheyRead) {
  const testing::TemporaryFolder folder;
  const auto path = folder.path() / "cells.csv";
  EXPECT_TRUE(read_efficiency(path).empty());
  std::vector<EfficiencyCell> cells = {cell_of("softmax", 512, 12.5)};
  cells.push_back({.mixer = "softmax",
                   .pass = "training",
                   .length = 65536,
                   .precision = "fp32",
                   .threads = 2,
                   .status = "skipped: about 3000 s expected, 60 s allowed"});
  write_efficiency(path, cells);
  const auto read = read_efficiency(path);
  ASSERT_EQ(read.size(), 2);
  EXPECT_TRUE(read[0].same_place(cells[0]));
  EXPECT_EQ(read[0].milliseconds, 12.5);
  EXPECT_EQ(read[1].status, cells[1].status);

  std::ofstream(path, std::ios::app) << "softmax,training,many,fp32,2,1,1,1,1,1,measured\n";
  try {
    read_efficiency(path);
    FAIL() << "a bad row was read";
  } catch (const std::invalid_argument& error) {
    EXPECT_NE(std::string(error.what()).find("cells.csv, line 4:"), std::string::npos);
  }
}

TEST(EfficiencyResults, FitTheGrowthOfASequencesCost) {
  std::vector<EfficiencyCell> cells = {cell_of("softmax", 128, 99), cell_of("softmax", 512, 10),
                                       cell_of("softmax", 2048, 40), cell_of("softmax", 8192, 160)};
  EXPECT_NEAR(cost_exponent(cells, "softmax", "inference", 512), 2, 1e-12);
  EXPECT_TRUE(std::isnan(cost_exponent(cells, "softmax", "training", 512)));
}

TEST(EfficiencyResults, PutThePaperBesideOurs) {
  const auto table =
      efficiency_markdown({cell_of("additive", 512, 10), cell_of("linear", 512, 25)});
  EXPECT_NE(table.find("| linear / additive, here | 2.50 |"), std::string::npos) << table;
  EXPECT_NE(table.find("| linear / Fastformer, paper | 5.67 |"), std::string::npos) << table;
  EXPECT_NE(table.find("N d²"), std::string::npos) << table;
}

}  // namespace
}  // namespace fastformer::study

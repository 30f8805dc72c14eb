#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "cli/program.h"
#include "cli/small_clicks.h"
#include "fastformer/classification/classifier.h"
#include "fastformer/data/npy_file.h"
#include "fastformer/recommendation/recommender.h"

namespace fastformer::cli {
namespace {

using Json = nlohmann::json;

std::vector<Json> records_of(const std::string& content) {
  std::vector<Json> objects;
  std::istringstream lines(content);
  for (std::string line; std::getline(lines, line);) objects.push_back(Json::parse(line));
  return objects;
}

std::vector<float> vector_of(const Json& object) {
  return object.at("vector").get<std::vector<float>>();
}

class EmbedCommand : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    task_ = std::make_unique<SmallTask>();
    const auto trained = run_program(with(task_->train("run"), {"--set", "train.max_steps=20"}));
    ASSERT_EQ(trained.code, 0) << trained.output;
  }
  static void TearDownTestSuite() { task_.reset(); }

  static std::string path(const std::string& name) { return task_->path(name); }
  static std::string write(const std::string& name, const std::string& content) {
    return task_->folder().write(name, content).string();
  }
  static Outcome embed(const Words& arguments, const std::string& input = "") {
    return run_program(with({"embed", path("run/model")}, arguments), input);
  }

  static inline std::unique_ptr<SmallTask> task_;
};

TEST_F(EmbedCommand, EachRecordHasOneRowInBothForms) {
  std::string input;
  std::vector<std::string> texts;
  for (int i = 0; i < 200; ++i) {
    texts.push_back(i % 50 == 3 ? "" : "oil prices " + std::to_string(i));
    input += texts.back() + "\n";
  }
  ASSERT_EQ(embed({"--output", path("a.npy")}, input).output, "");
  ASSERT_EQ(embed({"--output", path("a.jsonl")}, input).output, "");
  const auto vectors = data::read_npy(path("a.npy"));
  const auto expected = Classifier::load(path("run/model")).embed(texts);
  EXPECT_EQ(vectors.width, 16U);
  ASSERT_EQ(vectors.rows(), texts.size());
  const auto objects = records_of(content_of(path("a.jsonl")));
  ASSERT_EQ(objects.size(), texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(objects[i].at("row"), i + 1);
    EXPECT_EQ(objects[i].at("text"), texts[i]);
    const auto row = vectors.row(i);
    EXPECT_EQ(vector_of(objects[i]), std::vector<float>(row.begin(), row.end())) << i;
    for (std::size_t k = 0; k < row.size(); ++k) EXPECT_NEAR(row[k], expected.row(i)[k], 1e-5);
  }
}

TEST_F(EmbedCommand, RecordsOfAFileKeepTheirColumns) {
  const auto csv = write("a.csv", "id,body\n7,\"oil,\nprices\"\n8,\"\"\n");
  const auto set = "data.text_columns=[\"body\"]";
  const auto done = embed(
      {csv, "--set", set, "--set", "data.header=yes", "--keep", "--output", path("kept.jsonl")});
  ASSERT_EQ(done.code, 0) << done.output;
  const auto objects = records_of(content_of(path("kept.jsonl")));
  ASSERT_EQ(objects.size(), 2U);
  EXPECT_EQ(objects[0].at("id"), "7");
  EXPECT_EQ(objects[0].at("body"), "oil,\nprices");
  EXPECT_EQ(vector_of(objects[1]).size(), 16U);
  EXPECT_FALSE(objects[0].contains("row"));
}

TEST_F(EmbedCommand, NoRecordsAreNoRows) {
  ASSERT_EQ(embed({"--output", path("none.npy")}).code, 0);
  EXPECT_MENTIONS(content_of(path("none.npy")), "'shape': (0, 16)");
}

TEST_F(EmbedCommand, AFileOfVectorsIsWholeOrNotThere) {
  const auto bad = write("bad.txt", "oil\nb\xE9\n");
  expect_refusal(embed({bad, "--output", path("bad.npy")}), {"bad.txt:2", "UTF-8"});
  EXPECT_FALSE(std::filesystem::exists(path("bad.npy")));
}

TEST_F(EmbedCommand, WhatDoesNotFitIsRefused) {
  EXPECT_EQ(embed({}).code, 2) << "--output is required";
  expect_refusal(embed({"--output", path("a.txt")}), {"a.txt", "--output-format npy"});
  expect_refusal(embed({"--output", path("k.npy"), "--keep"}), {"--keep", "JSON Lines"});
  expect_refusal(embed({"--output", path("k.npy"), "--vectors", "users"}),
                 {"no vectors of users", "documents"});
  expect_refusal(embed({"--output", path("k.npy"), "--items", "x"}), {"--vectors users"});
  const auto taken = write("v.jsonl", "{\"text\": \"oil\", \"vector\": 1}\n");
  expect_refusal(embed({taken, "--set", "data.text_columns=[\"text\"]", "--keep", "--output",
                        path("v2.jsonl")}),
                 {"record 1", "'vector'"});
}

TEST_F(RecommendCommand, TitlesItemsAndUsersHaveVectors) {
  const auto model = clicks_->path("run/model");
  const auto embed = [&](const Words& arguments, const std::string& input = "") {
    const auto outcome = run_program(with({"embed", model}, arguments), input);
    EXPECT_EQ(outcome.code, 0) << outcome.output;
    return outcome.output;
  };
  embed({"-", "--output", clicks_->path("titles.npy")}, "the team wins match 1\n\noil prices\n");
  const auto titles = data::read_npy(clicks_->path("titles.npy"));
  EXPECT_EQ(titles.rows(), 3U);
  embed({clicks_->path("test/news.tsv"), "--vectors", "items", "--output",
         clicks_->path("items.jsonl")});
  const auto items = records_of(content_of(clicks_->path("items.jsonl")));
  ASSERT_EQ(items.size(), 20U);
  const auto& first =
      *std::ranges::find_if(items, [](const Json& item) { return item["id"] == "S1"; });
  EXPECT_EQ(first.at("text"), "the team wins match 1");
  for (std::size_t k = 0; k < titles.width; ++k) {
    EXPECT_NEAR(vector_of(first)[k], titles.row(0)[k], 1e-5);
  }

  const auto users = clicks_->folder().write(
      "users.jsonl", "{\"user\": \"A\", \"history\": [\"S1\", \"X\"]}\n{\"history\": []}\n");
  const auto notices =
      embed({users.string(), "--vectors", "users", "--items", clicks_->path("test"), "--output",
             clicks_->path("users.jsonl.out"), "--output-format", "jsonl"});
  EXPECT_MENTIONS(notices, "1 ids of the histories", "X", "1 of 2 users are cold");
  const auto vectors = records_of(content_of(clicks_->path("users.jsonl.out")));
  ASSERT_EQ(vectors.size(), 2U);
  EXPECT_EQ(vectors[0].at("id"), "A");
  const auto recommender = Recommender::load(model);
  const auto expected = recommender.embed_users(recommender.catalogue(clicks_->path("test")),
                                                std::vector<std::vector<std::string>>{{"S1"}});
  for (std::size_t k = 0; k < expected.width; ++k) {
    EXPECT_NEAR(vector_of(vectors[0])[k], expected.row(0)[k], 1e-5);
    EXPECT_EQ(vector_of(vectors[1])[k], 0);
  }
  const auto output = clicks_->path("x.npy");
  expect_refusal(run_program({"embed", model, users, "--vectors", "users", "--output", output}),
                 {"--items"});
  expect_refusal(run_program({"embed", model, "--vectors", "documents", "--output", output}),
                 {"no vectors of documents", "titles, items and users"});
}

}  // namespace
}  // namespace fastformer::cli

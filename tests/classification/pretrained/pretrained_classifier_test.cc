// Classifiers whose token vectors come from a pre-trained encoder.
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "fastformer/base/atomic_file.h"
#include "fastformer/classification/classifier.h"
#include "fastformer/classification/classifier_model.h"
#include "fastformer/classification/part_writer.h"
#include "fastformer/classification/pretrained/frozen_documents.h"
#include "fastformer/classification/training.h"
#include "fastformer/runtime/classifier.h"
#include "fastformer/text/bert_tokenizer.h"
#include "fastformer/train/training_run.h"
#include "support/parity_error.h"
#include "support/pretrained_folder.h"

namespace fastformer::classification {
namespace {

constexpr const char* kFirstLayer = "pretrained.encoder.layer.0.output.dense.weight";
constexpr const char* kLastLayer = "pretrained.encoder.layer.1.output.dense.weight";
constexpr const char* kTokenTable = "pretrained.embeddings.word_embeddings.weight";

class PretrainedClassifier : public testing::PretrainedFolder {
 protected:
  Recipe recipe(const std::vector<std::string>& assignments = {}) const {
    base::ConfigTree tree;
    tree.set("model.pretrained=" + folder_.path().string());
    for (const auto* field :
         {"model.heads=2", "model.ffn_width=8", "model.layers=1", "train.epochs=2",
          "train.learning_rate=0.01", "linear.members=[]", "data.text_columns=[\"2\"]",
          "data.label_column=\"1\"", "data.header=no"}) {
      tree.set(field);
    }
    for (const auto& assignment : assignments) tree.set(assignment);
    return Recipe::read(tree);
  }
  ClassifierModel model(const std::vector<std::string>& assignments = {}) const {
    return {recipe(assignments).model, /*vocabulary_size=*/7, /*classes=*/2, /*seed=*/1};
  }
  std::string fault(const std::vector<std::string>& assignments) const {
    return testing::error_of([&] { model(assignments); });
  }
  // The second text is longer than the five positions of the encoder.
  static data::TokenBatch batch() {
    data::TokenBatch batch;
    batch.add(std::vector<std::int32_t>{2, 4, 5, 3});
    batch.add(std::vector<std::int32_t>{2, 6, 4, 5, 6, 6, 4, 5, 4, 3});
    batch.add(std::vector<std::int32_t>{2, 3});
    return batch;
  }
  static std::vector<Example> examples() {
    std::vector<Example> examples;
    for (int i = 0; i < 40; ++i) {
      examples.push_back(
          {.text = i % 2 == 0 ? "oil falls oil falls oil" : "team team", .label = {}});
      examples.back().label = i % 2 == 0 ? "business" : "sports";
    }
    return examples;
  }
};

TEST_F(PretrainedClassifier, TakesWidthAndTextFromTheFolder) {
  const auto own = recipe();
  EXPECT_EQ(own.model.text.encoder.width, 4);
  EXPECT_EQ(own.model.text.max_positions, 0);
  EXPECT_EQ(own.text.tokenizer, "wordpiece");
  EXPECT_TRUE(own.text.special_tokens);
  const auto model = this->model({"model.width=6"});
  EXPECT_EQ(model.parameters().at("projection.weight").sizes(), (std::vector<std::int64_t>{6, 4}));
  EXPECT_FALSE(model.parameters().contains("embedding.token.weight"));
  // What is written can be read.
  EXPECT_EQ(Recipe::read(own.tree()).model.text.encoder.width, 4);
}

TEST_F(PretrainedClassifier, TrainsTheLayersThatTheRecipeNames) {
  const auto trained = [&](const char* layers) {
    return model({std::string("model.trainable_layers=") + layers}).trained();
  };
  EXPECT_FALSE(trained("0").contains(kLastLayer));
  EXPECT_TRUE(trained("0").contains("classifier.weight"));
  EXPECT_TRUE(trained("1").contains(kLastLayer));
  EXPECT_FALSE(trained("1").contains(kFirstLayer));
  EXPECT_TRUE(trained("-1").contains(kTokenTable));
  EXPECT_MENTIONS(fault({"model.trainable_layers=3"}), "3 layers", "has 2");
}

TEST_F(PretrainedClassifier, LowerLayersLearnMoreSlowly) {
  const auto fields =
      recipe({"model.pretrained_factor=0.1", "model.layer_factor=0.5"}).model.pretrained;
  EXPECT_DOUBLE_EQ(learning_rate_factor(fields, "classifier.weight"), 1);
  EXPECT_DOUBLE_EQ(learning_rate_factor(fields, kLastLayer), 0.1);
  EXPECT_DOUBLE_EQ(learning_rate_factor(fields, kFirstLayer), 0.05);
  EXPECT_DOUBLE_EQ(learning_rate_factor(fields, kTokenTable), 0.025);
}

TEST_F(PretrainedClassifier, StoredRowsOfFrozenLayersGiveTheSameLogits) {
  for (const auto* layers : {"0", "1", "2"}) {
    const auto model = this->model({std::string("model.trainable_layers=") + layers});
    ASSERT_TRUE(model.has_frozen_rows());
    const auto direct = model.forward(batch(), /*training=*/false);
    const auto stored =
        model.forward(batch(), /*training=*/false, nullptr, model.frozen_rows(batch()));
    EXPECT_TRUE(at::equal(direct, stored)) << layers;
  }
  const auto whole = model({"model.trainable_layers=-1"});
  EXPECT_FALSE(whole.has_frozen_rows());
  EXPECT_THROW(whole.frozen_rows(batch()), std::logic_error);
}

TEST_F(PretrainedClassifier, ALongDocumentDoesNotDependOnItsBatch) {
  const auto model = this->model();
  const auto together = model.forward(batch(), /*training=*/false);
  for (std::int64_t b = 0; b < batch().size(); ++b) {
    data::TokenBatch alone;
    alone.add(batch().sequence(b));
    EXPECT_LT(testing::largest(model.forward(alone, false)[0] - together[b]), 1e-6) << b;
  }
}

// The whole of a long document is read: each token changes the logits.
TEST_F(PretrainedClassifier, EveryTokenOfALongDocumentCounts) {
  const auto model = this->model();
  data::TokenBatch text;
  text.add(batch().sequence(1));
  const auto before = model.forward(text, /*training=*/false);
  for (std::size_t i = 1; i + 1 < text.ids.size(); ++i) {
    auto changed = text;
    changed.ids[i] = changed.ids[i] == 4 ? 5 : 4;
    EXPECT_GT(testing::largest(model.forward(changed, false) - before), 1e-7) << i;
  }
}

TEST_F(PretrainedClassifier, FilesOfStoredRowsAreReadAgain) {
  const testing::TemporaryFolder cache;
  const auto model = this->model();
  PartWriter writer;
  const auto texts = batch();
  for (std::int64_t b = 0; b < texts.size(); ++b) {
    const auto ids = texts.sequence(b);
    writer.add({.ids = {ids.begin(), ids.end()}, .truncated = false}, {}, std::vector{0}, b);
  }
  const auto part = writer.finish();
  int computed = 0;
  const auto rows_of = [&](const ClassifierModel& own, const std::filesystem::path& folder) {
    FrozenDocuments frozen(own, folder, [&](const std::string&) { ++computed; });
    return frozen.rows(std::vector<DocumentOfPart>{{&part, 2}, {&part, 1}});
  };
  data::TokenBatch order;
  order.add(batch().sequence(2));
  order.add(batch().sequence(1));
  const auto expected = model.frozen_rows(order);
  for (int repetition = 0; repetition < 2; ++repetition) {
    const auto rows = rows_of(model, cache.path());
    ASSERT_EQ(rows.sizes(), expected.sizes());
    EXPECT_LT(testing::largest(rows - expected), 2e-3 * testing::largest(expected));
  }
  EXPECT_EQ(computed, 1);
  EXPECT_TRUE(at::equal(rows_of(model, {}), rows_of(model, cache.path())));
  EXPECT_EQ(computed, 2);
  rows_of(this->model({"model.trainable_layers=1"}), cache.path());
  EXPECT_EQ(computed, 3);
  EXPECT_FALSE(rows_of(this->model({"model.trainable_layers=-1"}), cache.path()).defined());
}

TEST_F(PretrainedClassifier, LearnsAndKeepsWhatIsFrozen) {
  for (const auto* layers : {"0", "1", "-1"}) {
    const testing::TemporaryFolder run;
    std::string rows;
    for (const auto& example : examples()) rows += example.label + "," + example.text + "\n";
    auto own = recipe({std::string("model.trainable_layers=") + layers, "train.epochs=30",
                       "train.batch_size=8", "data.validation_fraction=0.2"});
    own.data.train = {run.write("data.csv", rows).string()};
    const auto classifier = train(own, run / "run");
    EXPECT_EQ(classifier.classify("oil falls oil").label, "business") << layers;
    EXPECT_EQ(classifier.classify("team").label, "sports") << layers;
    const auto content = ClassifierContent::load(run / "run/model");
    const auto start = model();
    const auto same = [&](const char* name) {
      return at::equal(content.model->parameters().at(name), start.parameters().at(name));
    };
    const bool all = std::string(layers) == "-1";
    EXPECT_EQ(same(kFirstLayer), !all) << layers;
    EXPECT_EQ(same(kLastLayer), std::string(layers) == "0") << layers;
    // The model needs neither the folder nor its cache.
    EXPECT_EQ(Classifier::load(run / "run/model").classify("team falls").probabilities,
              classifier.classify("team falls").probabilities);
    EXPECT_MENTIONS(testing::error_of([&] { runtime::Classifier::load(run / "run/model", {}); }),
                    "pre-trained encoder", "fastformer");
    // A run that starts from it has all its weights, also those that stay frozen.
    if (!all) continue;
    auto next = own;
    next.train.from = (run / "run/model").string();
    next.model.pretrained.trainable_layers = 0;
    next.train.epochs = 1;
    train(next, run / "next");
    EXPECT_TRUE(
        at::equal(ClassifierContent::load(run / "next/model").model->parameters().at(kTokenTable),
                  content.model->parameters().at(kTokenTable)));
  }
}

// A tuned model, and a recipe that freezes its layers and trains twice.
TEST_F(PretrainedClassifier, AStoppedRunKeepsTheFrozenLayersOfTheModelThatItStartsFrom) {
  const testing::TemporaryFolder run;
  std::string rows;
  for (const auto& example : examples()) rows += example.label + "," + example.text + "\n";
  auto own = recipe({"model.trainable_layers=-1", "train.batch_size=8", "train.threads=1",
                     "data.validation_fraction=0.2", "train.learning_rate=0.05"});
  own.data.train = {run.write("data.csv", rows).string()};
  train(own, run / "start");
  own.train.from = (run / "start/model").string();
  own.model.pretrained.trainable_layers = 0;
  own.train.checkpoint_every = 1;
  own.refit = true;
  own.resolve_metric();
  train::train_in(own, run / "whole", nullptr);
  std::int64_t first = 0;  // steps of the first training
  {
    train::TrainingRun whole(own, run / "counted");
    ASSERT_TRUE(whole.train({}));
    first = whole.step() - whole.finish().result.refit_steps;
  }
  {
    train::TrainingRun stopped(own, run / "stopped");
    ASSERT_FALSE(stopped.train({}, [&] { return stopped.step() == first + 1; }));
  }
  train::TrainingRun resumed(own, run / "stopped", {.resume = true});
  ASSERT_TRUE(resumed.train({}));
  resumed.finish();
  EXPECT_EQ(base::read_file(run / "whole/model/model.safetensors"),
            base::read_file(run / "stopped/model/model.safetensors"));
}

TEST_F(PretrainedClassifier, AResumedRunRefusesAnotherEncoder) {
  const testing::TemporaryFolder run;
  std::string rows;
  for (const auto& example : examples()) rows += example.label + "," + example.text + "\n";
  const auto data = run.write("data.csv", rows).string();
  std::vector<Recipe> recipes;
  for (const auto* layers : {"0", "1", "-1"}) {
    auto own = recipe({"data.validation_fraction=0.2", "train.checkpoint_every=1",
                       std::string("model.trainable_layers=") + layers});
    own.data.train = {data};
    train::TrainingRun stopped(own, run / layers);
    ASSERT_FALSE(stopped.train({}, [&] { return stopped.step() == 1; }));
    recipes.push_back(own);
  }
  nn::ParameterStore store(4, at::kFloat, /*deviation=*/0.5);
  const nn::BertEncoder other(model::BertConfig::load(folder_ / "config.json"), store, "");
  nn::save_tensors(folder_ / "model.safetensors", other.parameters());
  for (const auto& own : recipes) {
    const auto layers = std::to_string(own.model.pretrained.trainable_layers);
    EXPECT_MENTIONS(
        testing::error_of([&] { train::TrainingRun(own, run / layers, {.resume = true}); }),
        "model.safetensors", "the pre-trained encoder");
  }
}

TEST_F(PretrainedClassifier, TheModelNeedsItsSection) {
  const testing::TemporaryFolder place;
  const auto model = this->model();
  const auto tokenizer = text::load_bert_tokenizer(folder_.path());
  const std::vector<std::string> labels = {"a", "b"};
  save_classifier(place / "model", {labels, 0, recipe().data, *tokenizer, model, {}}, "card");
  auto saved = nlohmann::ordered_json::parse(base::read_file(place / "model/config.json"));
  saved.erase("pretrained");
  place.write("model/config.json", saved.dump());
  EXPECT_MENTIONS(testing::error_of([&] { Classifier::load(place / "model"); }), "config.json",
                  "no section [pretrained]");
}

TEST_F(PretrainedClassifier, ATruncatedTextEndsAsItsPredictionReadsIt) {
  const auto tokenizer = text::load_bert_tokenizer(folder_.path());
  for (const std::int64_t limit : {0, 2, 3, 4, 5, 9}) {
    std::vector<std::int32_t> ids;
    tokenizer->encode("oil falls team", ids,
                      limit == 0 ? text::Tokenizer::kNoLimit : static_cast<std::size_t>(limit));
    const auto encoded = text::encode_limited(*tokenizer, "oil falls team", limit);
    EXPECT_EQ(encoded.ids, ids) << limit;
    EXPECT_EQ(encoded.ids.back(), 3) << limit;
    EXPECT_EQ(encoded.truncated, limit > 0 && limit < 5) << limit;
  }
}

TEST_F(PretrainedClassifier, NamesWhatDoesNotFit) {
  EXPECT_MENTIONS(fault({"model.max_positions=5"}), "model.max_positions", "model.pretrained");
  EXPECT_MENTIONS(fault({"model.bigram_buckets=5"}), "model.bigram_buckets", "model.pretrained");
  EXPECT_MENTIONS(fault({"model.chunk_tokens=20", "model.chunk_overlap=12"}), "chunk_overlap = 12");
  EXPECT_MENTIONS(fault({"model.pretrained=/nowhere"}), "/nowhere", "does not exist");
  EXPECT_MENTIONS(fault({"text.lowercase=false"}), "[text]", "lowercase = true");
  EXPECT_MENTIONS(fault({"text.tokenizer=word"}), "[text]", "remove the section");
  EXPECT_MENTIONS(fault({"text.tokenizer=sentencepiece"}), "[text]", "remove the section");
  EXPECT_MENTIONS(fault({"train.word_vectors=v.txt"}), "train.word_vectors");
  EXPECT_MENTIONS(fault({"train.adversarial=0.1"}), "train.adversarial");
  auto config = nlohmann::json::parse(base::read_file(folder_ / "config.json"));
  config["max_position_embeddings"] = 2;
  folder_.write("config.json", config.dump());
  EXPECT_MENTIONS(fault({}), "2 positions", "at least 3");
}

}  // namespace
}  // namespace fastformer::classification

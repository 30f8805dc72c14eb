// Recommenders that begin with a pre-trained encoder: plm_nr and fastformer_plm_nr.
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "fastformer/base/atomic_file.h"
#include "fastformer/recommendation/frozen_titles.h"
#include "fastformer/recommendation/model_config.h"
#include "fastformer/recommendation/recommender_model.h"
#include "fastformer/text/bert_tokenizer.h"
#include "support/pretrained_folder.h"

namespace fastformer::recommendation {
namespace {

constexpr const char* kWords = "pretrained.embeddings.word_embeddings.weight";
constexpr const char* kLastLayer = "pretrained.encoder.layer.1.output.dense.weight";
constexpr const char* kFirstLayer = "pretrained.encoder.layer.0.output.dense.weight";

class PretrainedRecommender : public testing::PretrainedFolder {
 protected:
  ModelConfig config(const std::vector<std::string>& assignments = {}) const {
    base::ConfigTree tree;
    for (const auto* name : {"width=8", "heads=2", "users.heads=2", "query_width=6",
                             "users.ffn_width=8", "model=plm_nr"}) {
      tree.set(std::string("model.") + name);
    }
    tree.set("model.pretrained=" + folder_.path().string());
    for (const auto& assignment : assignments) tree.set(assignment);
    return ModelConfig::read(tree);
  }
  std::string fault(const std::vector<std::string>& assignments) const {
    return testing::error_of([&] { RecommenderModel(config(assignments), 7, 1); });
  }
  // "Oil falls", nothing, "team"; two users.
  static ItemBatch batch() {
    return {.items = {1, 0, 2},
            .token_ids = {2, 4, 5, 3, 2, 6, 3},
            .token_offsets = {0, 4, 4, 7},
            .history = {0, 1, 2},
            .history_offsets = {0, 2, 3},
            .candidates = {2, 0, 0, 1},
            .candidate_offsets = {0, 2, 4}};
  }
};

TEST_F(PretrainedRecommender, TheNameDecidesTheEncoderOfUsers) {
  const auto plm = config(), fastformer = config({"model.model=fastformer_plm_nr"});
  EXPECT_EQ(plm.user_encoder().mixer.name(), "softmax");
  EXPECT_FALSE(plm.user_encoder().output_projection);
  EXPECT_EQ(fastformer.user_encoder().mixer.name(), "additive");
  EXPECT_EQ(plm.title_limit(48), 5);
  EXPECT_EQ(plm.title_limit(3), 3);
}

TEST_F(PretrainedRecommender, StartsFromTheWeightsOfTheFolder) {
  for (const auto* name : {"plm_nr", "fastformer_plm_nr"}) {
    const RecommenderModel model(config({std::string("model.model=") + name}), 7, 1);
    EXPECT_FALSE(model.parameters().contains("embedding.token.weight"));
    const auto file = nn::load_tensors(folder_ / "model.safetensors").tensors;
    EXPECT_TRUE(
        at::equal(model.parameters().at(kWords), file.at("embeddings.word_embeddings.weight")));
    const auto items = model.encode_items(batch().token_ids, nn::Offsets(batch().token_offsets));
    EXPECT_EQ(items.sizes(), at::IntArrayRef({3, 8}));
    EXPECT_EQ(items[1].abs().max().item<float>(), 0);
  }
  // No projection where the widths agree.
  const RecommenderModel same(config({"model.width=4"}), 7, 1);
  EXPECT_FALSE(same.parameters().contains("news.projection.weight"));
}

TEST_F(PretrainedRecommender, OnlyWhatLearnsIsForTheOptimizer) {
  const auto trained = [&](const std::string& layers) {
    const RecommenderModel model(config({"model.trainable_layers=" + layers}), 7, 1);
    model.loss(batch(), /*training=*/true).backward();
    for (const auto& [name, weight] : model.parameters()) {
      EXPECT_EQ(model.trained_parameters().contains(name), weight.grad().defined()) << name;
    }
    std::string tables;
    for (const auto& name : model.row_sparse_parameters()) tables += name + " ";
    EXPECT_EQ(tables.empty(), layers != "-1") << tables;
    return model.trained_parameters();
  };
  EXPECT_FALSE(trained("0").contains(kLastLayer));
  EXPECT_TRUE(trained("0").contains("news.pooling.projection.weight"));
  EXPECT_TRUE(trained("1").contains(kLastLayer));
  EXPECT_FALSE(trained("1").contains(kFirstLayer));
  EXPECT_TRUE(trained("2").contains(kFirstLayer));
  EXPECT_FALSE(trained("2").contains(kWords));
  EXPECT_TRUE(trained("-1").contains(kWords));
}

// The titles that batch() has, in the order of a table.
TitleTokens title_table() { return {.ids = {2, 4, 5, 3, 2, 6, 3}, .offsets = {0, 0, 4, 7}}; }

TEST_F(PretrainedRecommender, KeptTitlesChangeNoStep) {
  const auto titles = title_table();
  for (const auto* layers : {"0", "1", "2"}) {
    const RecommenderModel model(config({std::string("model.trainable_layers=") + layers}), 7, 1);
    FrozenTitles frozen(model, titles, /*limit=*/7 * 4 * sizeof(float));
    const auto gradients = [&](const at::Tensor& rows) {
      at::manual_seed(3);
      const auto loss = model.loss(batch(), /*training=*/true, rows);
      loss.backward();
      std::vector<at::Tensor> result = {loss.detach()};
      for (const auto& [name, tensor] : model.trained_parameters()) {
        result.push_back(tensor.grad().clone());
        tensor.mutable_grad().reset();
      }
      return result;
    };
    const auto rows = frozen.rows(batch());
    ASSERT_TRUE(rows.defined());
    EXPECT_FALSE(rows.requires_grad());
    const auto kept = gradients(rows), computed = gradients({});
    for (std::size_t i = 0; i < kept.size(); ++i) {
      EXPECT_TRUE(at::allclose(kept[i], computed[i], 1e-5, 1e-7)) << layers << " " << i;
    }
    // A batch that has the titles in another order gets them in that.
    ItemBatchBuilder builder(titles);
    builder.add(std::vector<std::int32_t>{2, 1}, std::vector<std::int32_t>{0});
    EXPECT_TRUE(
        at::equal(frozen.rows(builder.take()), at::cat({rows.slice(0, 4), rows.slice(0, 0, 4)})));
  }
}

TEST_F(PretrainedRecommender, TitlesAreKeptWhereSomethingIsFrozenAndTheyFit) {
  const auto titles = title_table();
  constexpr std::int64_t kBytes = 7 * 4 * sizeof(float);
  const auto keeps = [&](const ModelConfig& config, std::int64_t limit) {
    const RecommenderModel model(config, 7, 1);
    FrozenTitles frozen(model, titles, limit);
    const bool kept = frozen.rows(batch()).defined();
    EXPECT_EQ(frozen.bytes(), kept ? kBytes : 0);
    return kept;
  };
  EXPECT_TRUE(keeps(config(), kBytes));
  EXPECT_FALSE(keeps(config(), kBytes - 1));
  EXPECT_FALSE(keeps(config({"model.trainable_layers=-1"}), kBytes));
  base::ConfigTree words;
  words.set("model.model=nrms");
  EXPECT_FALSE(keeps(ModelConfig::read(words), 1 << 20));
  const RecommenderModel without(ModelConfig::read(words), 7, 1);
  EXPECT_THROW(without.frozen_rows(batch().token_ids, nn::Offsets(batch().token_offsets)),
               std::logic_error);
}

TEST_F(PretrainedRecommender, ATouchedRowIsOneWithAGradient) {
  const RecommenderModel model(config({"model.trainable_layers=-1"}), 7, 1);
  model.loss(batch(), /*training=*/true).backward();
  const auto touched = model.touched_rows(batch());
  ASSERT_EQ(touched.size(), model.row_sparse_parameters().size());
  for (const auto& [name, rows] : touched) {
    const auto gradient = model.parameters().at(name).grad().coalesce();
    EXPECT_TRUE(at::equal(gradient.indices()[0], rows)) << name;
  }
}

TEST_F(PretrainedRecommender, ThePretrainedPartLearnsSlower) {
  const RecommenderModel model(config({"model.pretrained_factor=0.25"}), 7, 1);
  EXPECT_EQ(model.learning_rate_factor(kLastLayer), 0.25);
  EXPECT_EQ(model.learning_rate_factor("news.projection.weight"), 1);
  EXPECT_EQ(config().pretrained_factor, 0.03);
}

TEST_F(PretrainedRecommender, ASavedModelDoesNotNeedTheFolder) {
  const testing::TemporaryFolder place;
  folder_.write("config.json",
                R"({"vocab_size": 8, "hidden_size": 4, "num_hidden_layers": 2,
                    "num_attention_heads": 2, "intermediate_size": 6, "hidden_act": "gelu_new",
                    "max_position_embeddings": 5, "layer_norm_eps": 0.01})");
  const RecommenderModel model(config(), 7, 1);
  save_recommender(place / "model", {}, *text::load_bert_tokenizer(folder_.path()), model, nullptr,
                   "card");
  const auto scores = model.scores(batch(), /*training=*/false);
  std::filesystem::remove_all(folder_.path());
  const auto loaded = RecommenderContent::load(place / "model");
  EXPECT_TRUE(at::equal(loaded.model->scores(batch(), /*training=*/false), scores));
  EXPECT_EQ(loaded.model->parameters().size(), model.parameters().size());
  EXPECT_EQ(loaded.tokenizer->tokens("Oil falls", 9),
            (std::vector<std::string>{"[CLS]", "oil", "falls", "[SEP]"}));
}

TEST_F(PretrainedRecommender, RefusesWhatDoesNotFit) {
  EXPECT_EQ(fault({}), "");
  EXPECT_MENTIONS(fault({"model.pretrained="}), "model.pretrained is empty", "plm_nr");
  EXPECT_MENTIONS(fault({"model.model=nrms"}), "model.pretrained", "nrms");
  EXPECT_MENTIONS(fault({"model.pretrained=/nowhere"}), "/nowhere", "does not exist",
                  "scripts/setup");
  EXPECT_MENTIONS(fault({"model.trainable_layers=3"}), "3", "2");
  EXPECT_MENTIONS(fault({"model.users.heads=3"}), "users.heads = 3");
  EXPECT_MENTIONS(testing::error_of([&] { RecommenderModel(config(), 9, 1); }), "9", "8",
                  "vocabulary");
  folder_.write("config.json", R"({"model_type": "gpt2"})");
  EXPECT_MENTIONS(fault({}), "config.json", "gpt2");
}

TEST_F(PretrainedRecommender, TheConfigurationAloneAllocatesNothing) {
  // Each would take terabytes, or a long time for random numbers.
  const auto small = base::read_file(folder_ / "config.json");
  for (const auto* field : {"vocab_size", "intermediate_size", "max_position_embeddings"}) {
    auto json = nlohmann::json::parse(small);
    json[field] = std::int64_t{1} << 31;
    folder_.write("config.json", json.dump());
    EXPECT_MENTIONS(fault({}), "model.safetensors", "has the shape", "config.json requires");
  }
  auto json = nlohmann::json::parse(small);
  json["num_hidden_layers"] = 1000;
  folder_.write("config.json", json.dump());
  EXPECT_MENTIONS(fault({}), "model.safetensors", "encoder.layer.2");
  json["hidden_size"] = 1 << 20;
  folder_.write("config.json", json.dump());
  EXPECT_MENTIONS(fault({}), "model.safetensors", "has the shape");
  // The same of a saved model, whose section [pretrained] says it.
  folder_.write("config.json", small);
  const testing::TemporaryFolder place;
  save_recommender(place / "model", {}, *text::load_bert_tokenizer(folder_.path()),
                   RecommenderModel(config(), 7, 1), nullptr, "card");
  auto saved = nlohmann::ordered_json::parse(base::read_file(place / "model/config.json"));
  saved["pretrained"]["width"] = 1 << 20;
  place.write("model/config.json", saved.dump());
  EXPECT_MENTIONS(testing::error_of([&] { RecommenderContent::load(place / "model"); }),
                  "model.safetensors", "has the shape");
}

TEST_F(PretrainedRecommender, TheTextMustBeCutAsTheEncoderExpectsIt) {
  const auto good = text::bert_tokenizer_config(folder_.path());
  const auto check = [&](const text::TokenizerConfig& text) {
    base::ConfigTree tree;
    tree.write_section("text", text);
    return testing::error_of([&] { text::read_bert_text(tree, folder_.path()); });
  };
  EXPECT_EQ(check(good), "");
  auto copied = good;
  copied.model_file =
      folder_.write("copy.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\noil\nfalls\nteam\n").string();
  EXPECT_EQ(check(copied), "");
  EXPECT_MENTIONS(check({}), "[text]", "wordpiece", "vocab.txt", "special_tokens = true");
  auto cased = good;
  cased.lowercase = false;
  EXPECT_MENTIONS(check(cased), "lowercase = true");
  auto other = good;
  other.model_file = folder_.write("other.txt", "[UNK]\n[CLS]\n[SEP]\n").string();
  EXPECT_MENTIONS(check(other), "vocab.txt");
}

}  // namespace
}  // namespace fastformer::recommendation

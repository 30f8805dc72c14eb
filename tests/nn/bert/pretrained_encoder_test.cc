#include "fastformer/nn/bert/pretrained_encoder.h"

#include <gtest/gtest.h>

#include "support/gradient_check.h"
#include "support/pretrained_folder.h"

namespace fastformer::nn {
namespace {

class PretrainedFolder : public testing::PretrainedFolder {
 protected:
  // The ids of texts and where each begins, as the model reads them.
  struct Batch {
    std::vector<std::int32_t> ids;
    std::vector<std::int64_t> offsets = {0};
  };
  static Batch tokenize(const PretrainedEncoder& model, const std::vector<std::string>& texts) {
    Batch batch;
    const auto limit = static_cast<std::size_t>(model.encoder().config().max_positions);
    for (const auto& text : texts) {
      model.tokenizer().encode(text, batch.ids, limit);
      batch.offsets.push_back(std::ssize(batch.ids));
    }
    return batch;
  }
  std::string fault() const {
    return testing::error_of([&] { PretrainedEncoder::open(folder_.path()); });
  }
};

TEST_F(PretrainedFolder, GivesATokenizerAndAnEncoder) {
  const auto model = PretrainedEncoder::open(folder_.path());
  EXPECT_EQ(model.unused_tensors(), std::vector<std::string>{"pooler.dense.bias"});
  const std::vector<std::string> texts = {"Oil falls", "", "team team team team team"};
  const auto batch = tokenize(model, texts);
  EXPECT_EQ(batch.ids, (std::vector<std::int32_t>{2, 4, 5, 3, 2, 3, 2, 6, 6, 6, 3}));
  EXPECT_EQ(batch.offsets, (std::vector<std::int64_t>{0, 4, 6, 11}));
  for (const auto& entry : model.encoder().parameters()) {
    EXPECT_FALSE(entry.second.requires_grad()) << entry.first;
  }
  EXPECT_TRUE(PretrainedEncoder::open(folder_.path(), {.layers = 1})
                  .encoder()
                  .parameters()
                  .at("encoder.layer.1.output.dense.bias")
                  .requires_grad());
}

TEST_F(PretrainedFolder, PoolsTheRowsOfEachSentence) {
  const auto model = PretrainedEncoder::open(folder_.path());
  std::vector<std::string> texts;  // more than one batch
  for (int i = 0; i < 70; ++i) texts.push_back(i % 3 == 0 ? "oil" : i % 3 == 1 ? "team falls" : "");
  const auto batch = tokenize(model, texts);
  const auto rows = model.encoder().forward(batch.ids, nn::Offsets(batch.offsets), false);
  const auto means = model.sentence_vectors(texts, SentencePooling::kMean);
  const auto firsts = model.sentence_vectors(texts, SentencePooling::kFirst);
  ASSERT_EQ(means.sizes(), at::IntArrayRef({70, 4}));
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto own = rows.slice(0, batch.offsets[i], batch.offsets[i + 1]);
    const auto mean = own.mean(0);
    const auto row = static_cast<std::int64_t>(i);
    EXPECT_TRUE(at::allclose(means[row], mean / mean.norm(), 1e-4, 1e-5)) << i;
    EXPECT_TRUE(at::allclose(firsts[row], own[0] / own[0].norm(), 1e-4, 1e-5)) << i;
  }
  EXPECT_EQ(model.sentence_vectors({}, SentencePooling::kMean).size(0), 0);
}

TEST(PoolSentences, IsDifferentiableAndRefusesEmptySequences) {
  const std::vector<std::int64_t> lengths = {0, 3, 4}, empty = {0, 0, 4};
  const auto x = testing::random({4, 3});
  for (const auto pooling : {SentencePooling::kMean, SentencePooling::kFirst}) {
    testing::check_gradient(
        [&](const auto& v) {
          return testing::weigh(pool_sentences(v, nn::Offsets(lengths), pooling));
        },
        x);
    EXPECT_THROW(pool_sentences(x, nn::Offsets(empty), pooling), c10::Error);
  }
}

TEST_F(PretrainedFolder, TheConfigurationAloneAllocatesNothing) {
  folder_.write("config.json",
                R"({"vocab_size": 8, "hidden_size": 1048576, "num_hidden_layers": 1000,
                    "num_attention_heads": 2, "intermediate_size": 1048576})");
  EXPECT_MENTIONS(fault(), "model.safetensors", "has the shape", "[8, 1048576]");
}

TEST_F(PretrainedFolder, NamesTheFileThatIsWrong) {
  folder_.write("vocab.txt", "[UNK]\n[CLS]\n[SEP]\n1\n2\n3\n4\n5\n6\n");
  EXPECT_MENTIONS(fault(), "its vocabulary has 9", "8");
  folder_.write("vocab.txt", "[UNK]\n[CLS]\n");
  EXPECT_MENTIONS(fault(), "[SEP]");
  folder_.write("model.safetensors", "short");
  folder_.write("vocab.txt", "[UNK]\n[CLS]\n[SEP]\n");
  EXPECT_MENTIONS(fault(), "model.safetensors");
  folder_.write("config.json", R"({"model_type": "gpt2"})");
  EXPECT_MENTIONS(fault(), "config.json", "gpt2");
  std::filesystem::remove(folder_ / "config.json");
  EXPECT_MENTIONS(fault(), "config.json");
}

}  // namespace
}  // namespace fastformer::nn

// The files of weights as people have them.
#include "fastformer/nn/bert/bert_weights.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>

#include "fastformer/base/atomic_file.h"
#include "fastformer/nn/bert/bert_encoder.h"
#include "fastformer/nn/bert/pretrained_encoder.h"
#include "fastformer/nn/tensor_file.h"
#include "support/pretrained_folder.h"

namespace fastformer::nn {
namespace {

namespace fs = std::filesystem;

class BertWeightsTest : public testing::PretrainedFolder {
 protected:
  ParameterMap tensors() const { return load_tensors(folder_ / "model.safetensors").tensors; }
  std::string fault() const {
    return testing::error_of([&] { PretrainedEncoder::open(folder_.path()); });
  }
  // Whether the folder gives the parameters `expected`.
  void expect_loads(const ParameterMap& expected) const {
    const auto model = PretrainedEncoder::open(folder_.path());
    for (const auto& [name, tensor] : model.encoder().parameters()) {
      EXPECT_TRUE(at::equal(tensor, expected.at(name))) << name;
    }
  }
};

TEST_F(BertWeightsTest, ShardsAreFoundByTheirIndex) {
  const auto whole = tensors();
  ParameterMap first, second;
  std::string map;
  for (const auto& [name, tensor] : whole) {
    const bool early = name < "encoder.layer.1";
    (early ? first : second)[name] = tensor;
    map += (map.empty() ? "\"" : ", \"") + name + "\": \"" + (early ? "a" : "b") + ".safetensors\"";
  }
  save_tensors(folder_ / "a.safetensors", first);
  save_tensors(folder_ / "b.safetensors", second);
  fs::remove(folder_ / "model.safetensors");
  const std::string index = "model.safetensors.index.json";
  folder_.write(index, "{\"metadata\": {}, \"weight_map\": {" + map + "}}");
  expect_loads(whole);
  save_tensors(folder_ / "b.safetensors", whole);
  EXPECT_MENTIONS(fault(), index, "two of its files");
  fs::remove(folder_ / "b.safetensors");
  EXPECT_MENTIONS(fault(), "b.safetensors", "missing");
  folder_.write(index, "{\"weight_map\": {\"x\": \"../a.safetensors\"}}");
  EXPECT_MENTIONS(fault(), index, "'x'", "same folder");
  folder_.write(index, "{}");
  EXPECT_MENTIONS(fault(), index, "weight_map");
}

TEST_F(BertWeightsTest, AnyOnePrefixIsFound) {
  const auto whole = tensors();
  for (const std::string prefix : {"bert.", "0.auto_model.", "model.text_encoder.bert."}) {
    ParameterMap renamed;
    for (const auto& [name, tensor] : whole) renamed[prefix + name] = tensor;
    renamed["head.weight"] = at::zeros({3});
    save_tensors(folder_ / "model.safetensors", renamed);
    expect_loads(whole);
    for (const auto& [name, tensor] : whole) renamed["second." + name] = tensor;
    save_tensors(folder_ / "model.safetensors", renamed);
    EXPECT_MENTIONS(fault(), "several encoders", prefix, "second.");
  }
}

TEST_F(BertWeightsTest, ATensorThatNobodyReadsMayHaveAnyType) {
  const auto whole = tensors();
  const auto file = base::SafetensorsFile::open(folder_ / "model.safetensors");
  auto views = file.tensors();
  const std::string bytes(8, 'x');
  views["scale"] = {"I8", {8}, std::as_bytes(std::span(bytes))};
  const auto path = folder_ / "other.safetensors";
  base::write_safetensors(path, views);
  auto content = base::read_file(path);
  const auto with_type = [&](std::string header_part, const std::string& type) {
    auto changed = content;
    const auto at = changed.find("\"I8\"", changed.find(header_part) - 40);
    changed.replace(at, 4, type);
    return changed;
  };
  // A type of as many letters keeps the length of the header.
  folder_.write("model.safetensors", with_type("\"scale\"", "\"F4\""));
  EXPECT_EQ(base::read_file(folder_ / "model.safetensors").find("\"I8\""), std::string::npos);
  expect_loads(whole);
  const auto rest = BertWeights(folder_.path()).unused();
  EXPECT_NE(std::find(rest.begin(), rest.end(), "scale"), rest.end());
}

TEST_F(BertWeightsTest, AModelWithoutTypesHasNoTableOfThem) {
  auto whole = tensors();
  whole.erase("embeddings.token_type_embeddings.weight");
  save_tensors(folder_ / "model.safetensors", whole);
  EXPECT_MENTIONS(fault(), "token_type_embeddings");
  folder_.write("config.json",
                R"({"model_type": "bert", "vocab_size": 8, "hidden_size": 4, "num_hidden_layers": 2,
          "num_attention_heads": 2, "intermediate_size": 6, "max_position_embeddings": 5,
          "type_vocab_size": 0})");
  expect_loads(whole);
  const auto model = PretrainedEncoder::open(folder_.path(), {});
  const std::vector<std::int32_t> ids = {2, 4, 3};
  const std::vector<std::int64_t> ends = {0, 3};
  const Offsets offsets(ends);
  EXPECT_EQ(model.encoder().forward(ids, offsets, false).sizes(), at::IntArrayRef({3, 4}));
  EXPECT_EQ(model.encoder().touched_rows(ids, offsets).size(), 2U);
}

TEST_F(BertWeightsTest, OtherFormatsAreNamedWithTheCommandThatConvertsThem) {
  fs::remove(folder_ / "model.safetensors");
  EXPECT_MENTIONS(fault(), "model.safetensors", "does not exist");
  folder_.write("pytorch_model.bin", "x");
  EXPECT_MENTIONS(fault(), "pytorch_model.bin", "AutoModel", "save_pretrained",
                  folder_.path().string());
  fs::remove(folder_ / "pytorch_model.bin");
  folder_.write("tf_model.h5", "x");
  EXPECT_MENTIONS(fault(), "tf_model.h5", "safetensors");
}

}  // namespace
}  // namespace fastformer::nn

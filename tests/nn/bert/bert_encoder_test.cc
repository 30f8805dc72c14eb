#include "fastformer/nn/bert/bert_encoder.h"

#include <c10/core/GradMode.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>

#include "fastformer/base/atomic_file.h"
#include "fastformer/nn/bert/bert_weights.h"
#include "fastformer/nn/tensor_file.h"
#include "support/gradient_check.h"
#include "support/temporary_folder.h"

namespace fastformer::nn {
namespace {

using testing::weigh;

const std::vector<std::int32_t> kIds = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3};
const std::vector<std::int64_t> kBertOffsets = {0, 5, 5, 6, 10};

model::BertConfig small_bert() {
  model::BertConfig config;
  config.vocabulary_size = 12;
  config.width = 8;
  config.layers = 3;
  config.heads = 2;
  config.ffn_width = 10;
  config.max_positions = 6;
  config.epsilon = 1e-3;
  return config;
}

// An encoder with parameters that differ from their neutral values.
struct Model {
  explicit Model(FineTuning tuning = {}, std::uint64_t seed = 1, const std::string& name = "",
                 at::ScalarType type = at::kDouble)
      : store(seed, type, /*deviation=*/0.5), encoder(small_bert(), store, name, tuning) {
    const at::NoGradGuard no_gradient;
    at::manual_seed(static_cast<std::uint64_t>(seed));
    for (const auto& [own, tensor] : encoder.parameters()) {
      if (own.ends_with("bias") || own.find("LayerNorm") != std::string::npos) {
        tensor.add_(at::randn(tensor.sizes(), tensor.options().requires_grad(false)));
      }
    }
  }
  // With the parameters of a file.
  Model(const std::filesystem::path& path, const std::string& name)
      : weights(std::make_shared<BertWeights>(path)),
        store(store_of(weights, name.empty() ? name : name + ".")),
        encoder(small_bert(), store, name) {}
  at::Tensor forward(bool training = false) const {
    return encoder.forward(kIds, Offsets(kBertOffsets), training);
  }
  const at::Tensor& of(const std::string& name) const { return encoder.parameters().at(name); }

  static ParameterStore store_of(std::shared_ptr<BertWeights> weights, std::string prefix) {
    ParameterStore store(2, at::kDouble);
    store.read_from(std::move(prefix), std::move(weights));
    return store;
  }

  std::shared_ptr<BertWeights> weights;  // null: the parameters are drawn
  ParameterStore store;
  BertEncoder encoder;
};

at::Tensor linear(const Model& model, const std::string& name, const at::Tensor& x) {
  return at::linear(x, model.of(name + ".weight"), model.of(name + ".bias"));
}

at::Tensor normalized(const Model& model, const std::string& name, const at::Tensor& x) {
  const auto &weight = model.of(name + ".weight"), &bias = model.of(name + ".bias");
  return at::layer_norm(x, weight.sizes(), weight, bias, small_bert().epsilon);
}

// One sequence by the definition.
at::Tensor by_aten(const Model& model, std::span<const std::int32_t> ids) {
  const std::vector<std::int64_t> indices(ids.begin(), ids.end());
  const auto n = static_cast<std::int64_t>(ids.size());
  auto x = model.of("embeddings.word_embeddings.weight").index_select(0, at::tensor(indices)) +
           model.of("embeddings.position_embeddings.weight").narrow(0, 0, n) +
           model.of("embeddings.token_type_embeddings.weight")[0];
  x = normalized(model, "embeddings.LayerNorm", x);
  for (int i = 0; i < 3; ++i) {
    const auto layer = "encoder.layer." + std::to_string(i);
    const auto heads = [&](const std::string& part) {
      return linear(model, layer + ".attention.self." + part, x).view({n, 2, 4}).transpose(0, 1);
    };
    const auto weights = at::softmax(at::matmul(heads("query"), heads("key").mT()) / 2, 2);
    const auto mixed = at::matmul(weights, heads("value")).transpose(0, 1).reshape({n, 8});
    x = normalized(model, layer + ".attention.output.LayerNorm",
                   x + linear(model, layer + ".attention.output.dense", mixed));
    const auto inner = at::gelu(linear(model, layer + ".intermediate.dense", x));
    x = normalized(model, layer + ".output.LayerNorm",
                   x + linear(model, layer + ".output.dense", inner));
  }
  return x;
}

at::Tensor dense(const at::Tensor& gradient) {
  return gradient.is_sparse() ? gradient.to_dense() : gradient;
}

TEST(BertEncoder, IsTheDefinitionWithItsGradients) {
  const Model model;
  std::vector<at::Tensor> rows;
  for (std::size_t b = 0; b + 1 < kBertOffsets.size(); ++b) {
    const auto length = static_cast<std::size_t>(kBertOffsets[b + 1] - kBertOffsets[b]);
    rows.push_back(by_aten(model, std::span(kIds).subspan(kBertOffsets[b], length)));
  }
  const auto expected = at::cat(rows), y = model.forward();
  ASSERT_TRUE(at::allclose(y, expected, 1e-11, 1e-11));
  std::vector<at::Tensor> leaves;
  for (const auto& entry : model.encoder.parameters()) leaves.push_back(entry.second);
  const auto actual = torch::autograd::grad({weigh(y)}, leaves);
  const auto reference = torch::autograd::grad({weigh(expected)}, leaves);
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    EXPECT_TRUE(at::allclose(dense(actual[i]), reference[i], 1e-8, 1e-9)) << i;
  }
}

TEST(BertEncoder, DropsWhileTraining) {
  const Model model;
  at::manual_seed(5);
  const auto one = model.forward(true);
  EXPECT_FALSE(at::allclose(one, model.forward(true)));
  at::manual_seed(5);
  EXPECT_TRUE(at::equal(model.forward(true), one));
  EXPECT_FALSE(at::allclose(one, model.forward(false)));
}

TEST(BertEncoder, WhatIsFrozenDoesNotDrop) {
  const Model frozen({.layers = 0}), last({.layers = 1});
  EXPECT_TRUE(at::equal(frozen.forward(true), frozen.forward(false)));
  const Offsets offsets(kBertOffsets);
  const auto rows = last.encoder.frozen_rows(kIds, offsets);
  EXPECT_FALSE(rows.requires_grad());
  for (const bool training : {false, true}) {
    at::manual_seed(5);
    const auto whole = last.forward(training);
    at::manual_seed(5);
    const auto parts = last.encoder.forward_frozen(rows, offsets, training);
    EXPECT_TRUE(at::equal(parts, whole));
    EXPECT_TRUE(parts.requires_grad());
  }
  EXPECT_FALSE(at::equal(last.forward(true), last.forward(false)));
  const Model all;
  EXPECT_FALSE(all.encoder.has_frozen_rows());
  EXPECT_THROW(all.encoder.frozen_rows(kIds, offsets), std::logic_error);
}

TEST(BertEncoder, FrozenPartsHaveNoGradient) {
  const Model all;
  weigh(all.forward()).backward();
  for (const std::int64_t layers : {0, 1, 2, 3}) {
    const Model some({.layers = layers});
    const auto y = some.forward();
    ASSERT_TRUE(at::equal(y, all.forward()));
    EXPECT_EQ(y.requires_grad(), layers > 0);
    EXPECT_TRUE(some.encoder.touched_rows(kIds, Offsets(kBertOffsets)).empty());
    if (layers > 0) weigh(y).backward();
    for (const auto& [name, tensor] : some.encoder.parameters()) {
      const bool learns = name.starts_with("encoder.layer.") && name[14] - '0' >= 3 - layers;
      EXPECT_EQ(tensor.requires_grad(), learns) << name;
      ASSERT_EQ(tensor.grad().defined(), learns) << name;
      if (!learns) continue;
      EXPECT_TRUE(at::equal(tensor.grad(), all.of(name).grad())) << name;
    }
  }
}

TEST(BertEncoder, TouchesTheRowsThatHaveGradients) {
  const Model model({}, 1, "news");
  weigh(model.forward()).backward();
  const auto touched = model.encoder.touched_rows(kIds, Offsets(kBertOffsets));
  ASSERT_EQ(touched.size(), 3u);
  for (const auto& [name, rows] : touched) {
    ASSERT_TRUE(name.starts_with("news.embeddings.")) << name;
    const auto gradient = model.store.parameters().at(name).grad();
    ASSERT_TRUE(gradient.is_sparse()) << name;
    EXPECT_TRUE(at::equal(gradient.coalesce().indices()[0], rows)) << name;
  }
}

using Rename = std::function<std::string(std::string)>;

// The parameters of a model as another program would have saved them.
ParameterMap file_of(const Model& model, const Rename& rename, at::ScalarType type) {
  ParameterMap tensors;
  for (const auto& [name, tensor] : model.encoder.parameters()) {
    tensors[rename(name)] = tensor.detach().to(type);
  }
  return tensors;
}

std::string early(std::string name) {
  for (const auto& [now, then] : {std::pair{"LayerNorm.weight", "LayerNorm.gamma"},
                                  std::pair{"LayerNorm.bias", "LayerNorm.beta"}}) {
    const auto place = name.find(now);
    if (place != std::string::npos) name = name.substr(0, place) + then;
  }
  return "bert." + name;
}

TEST(BertEncoder, LoadsEverySpellingAndNumberType) {
  const Model source;
  const testing::TemporaryFolder folder;
  const auto path = folder / "model.safetensors";
  for (const Rename& rename : {Rename([](auto name) { return name; }),
                               Rename([](auto name) { return "bert." + name; }), Rename(early)}) {
    for (const auto type : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16}) {
      auto tensors = file_of(source, rename, type);
      const auto pooler = rename("pooler.dense.weight");
      tensors[pooler] = at::zeros({8, 8});
      tensors["embeddings.position_ids"] = at::arange(6);
      save_tensors(path, tensors);
      const Model target(path, "plm");
      const auto rest = target.weights->unused();
      EXPECT_EQ(rest.size(), 2u);
      EXPECT_TRUE(std::find(rest.begin(), rest.end(), pooler) != rest.end());
      for (const auto& [name, tensor] : target.encoder.parameters()) {
        EXPECT_TRUE(at::equal(tensor, source.of(name).to(type).to(at::kDouble))) << name;
        EXPECT_TRUE(tensor.requires_grad()) << name;
      }
    }
  }
}

// The message for a file that has these tensors.
std::string fault(const ParameterMap& tensors) {
  const testing::TemporaryFolder folder;
  const auto path = folder / "model.safetensors";
  save_tensors(path, tensors);
  const auto message = testing::error_of([&] { Model(path, ""); });
  EXPECT_MENTIONS(message, "model.safetensors");
  return message;
}

TEST(BertEncoder, RefusesFilesOfOtherModels) {
  const auto whole = file_of(Model(), [](auto name) { return name; }, at::kFloat);
  const std::string bias = "encoder.layer.2.output.dense.bias";
  auto lacking = whole;
  lacking.erase(bias);
  EXPECT_MENTIONS(fault(lacking), bias);
  auto wider = whole;
  wider[bias] = at::zeros({9});
  EXPECT_MENTIONS(fault(wider), bias, "[9]", "[8]");
  auto whole_numbers = whole;
  whole_numbers[bias] = at::zeros({8}, at::kInt);
  EXPECT_MENTIONS(fault(whole_numbers), bias, "I32", "BF16");
  EXPECT_MENTIONS(fault({{"roberta.weight", at::zeros({2})}}), "embeddings.word_embeddings.weight");
}

TEST(BertEncoder, RefusesDamagedFiles) {
  const testing::TemporaryFolder folder;
  const auto path = folder / "model.safetensors";
  save_tensors(path, file_of(Model(), [](auto name) { return name; }, at::kFloat));
  const auto content = base::read_file(path);
  for (const std::size_t size : {std::size_t{0}, std::size_t{100}, content.size() - 1}) {
    const auto cut = folder.write("cut.safetensors", content.substr(0, size));
    EXPECT_MENTIONS(testing::error_of([&] { Model(cut, ""); }), "cut.safetensors");
  }
  EXPECT_MENTIONS(testing::error_of([&] { Model(folder / "none", ""); }), "none");
}

TEST(BertEncoder, RefusesBatchesAndSettingsItCannotTake) {
  const Model model;
  const std::vector<std::int64_t> one = {0, 1}, seven = {0, 7};
  const std::vector<std::int32_t> outside = {12}, zeros(7, 0);
  EXPECT_MENTIONS(testing::error_of([&] { model.encoder.forward(outside, Offsets(one), false); }),
                  "12");
  EXPECT_MENTIONS(testing::error_of([&] { model.encoder.forward(zeros, Offsets(seven), false); }),
                  "7 tokens", "6 positions");
  EXPECT_MENTIONS(testing::error_of([] { Model({.layers = 4}); }), "4 layers", "3");
  EXPECT_MENTIONS(testing::error_of([] { Model({.layers = -2}); }), "-2");
}

}  // namespace
}  // namespace fastformer::nn

// BERT encoders against those of transformers (tests/parity/make_bert_cases.py).
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "fastformer/base/atomic_file.h"
#include "fastformer/nn/bert/bert_weights.h"
#include "fastformer/nn/bert/pretrained_encoder.h"
#include "fastformer/nn/tensor_file.h"
#include "support/parity_case.h"

namespace fastformer::nn {
namespace {

namespace fs = std::filesystem;

using testing::largest;

std::vector<std::int32_t> ids_of(const nn::ParameterMap& tensors) {
  const auto ids = tensors.at("ids").to(at::kInt);
  const auto* first = ids.const_data_ptr<std::int32_t>();
  return {first, first + ids.numel()};
}

// Relative to the largest gradient of the parameter, or to a part of the model's largest where
// rounding is all that there is: the bias of the keys has no gradient, by algebra.
void check_gradients(const nn::BertEncoder& encoder, const nn::ParameterMap& tensors,
                     double least) {
  const double scale = testing::gradient_scale(tensors);
  for (const auto& [name, parameter] : encoder.parameters()) {
    const auto expected = tensors.at("gradient." + name).to(at::kDouble);
    ASSERT_TRUE(parameter.grad().defined()) << name;
    const auto gradient = testing::dense_gradient(parameter).to(at::kDouble);
    const auto difference = largest(gradient - expected);
    EXPECT_LE(difference, 1e-4 * std::max(largest(expected), least * scale)) << name;
  }
}

void check_case(const fs::path& folder, at::ScalarType type) {
  SCOPED_TRACE(folder.filename().string() + " " + c10::toString(type));
  const auto tensors = nn::load_tensors(folder / "case.safetensors").tensors;
  const auto weights = std::make_shared<nn::BertWeights>(folder);
  nn::ParameterStore store(1, type);
  store.read_from("plm.", weights);
  const nn::BertEncoder encoder(model::BertConfig::load(folder / "config.json"), store, "plm");
  for (const auto& name : weights->unused()) {
    EXPECT_TRUE(name.find("pooler.") != std::string::npos || name.starts_with("cls.") ||
                name.starts_with("vocab_") || name.ends_with("position_ids"))
        << name;
  }
  const auto offsets = tensors.at("offsets");
  const auto* offset = offsets.const_data_ptr<std::int64_t>();
  const auto hidden =
      encoder.forward(ids_of(tensors), nn::Offsets({offset, offset + offsets.numel()}), false);
  const bool exact = type == at::kDouble;
  EXPECT_LE(largest(hidden.to(at::kDouble) - tensors.at("hidden")), exact ? 1e-10 : 1e-5);
  (hidden * tensors.at("weights").to(type)).sum().backward();
  check_gradients(encoder, tensors, exact ? 1e-6 : 1e-3);
}

class BertParitySlow : public ::testing::TestWithParam<std::string> {
 protected:
  static void TearDownTestSuite() { folders_.clear(); }
  static inline testing::ParityFolders folders_{"make_bert_cases.py"};
};

TEST_P(BertParitySlow, HiddenStatesAndGradientsAreThoseOfTransformers) {
  FASTFORMER_NEEDS_PARITY_SCRIPTS();
  const auto* folder = folders_.of(GetParam());
  ASSERT_NE(folder, nullptr) << "tests/parity/make_bert_cases.py failed";
  std::set<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder->path())) found.insert(entry.path());
  EXPECT_EQ(found.size(), GetParam() == "small" ? 9u : 1u);
  for (const auto& path : found) {
    check_case(path, at::kDouble);
    check_case(path, at::kFloat);
  }
}

INSTANTIATE_TEST_SUITE_P(Groups, BertParitySlow, ::testing::Values("small", "base", "minilm"));

class SentencesSlow : public BertParitySlow {};

TEST_P(SentencesSlow, VectorsOfRealWeightsAreThoseOfTransformers) {
  FASTFORMER_NEEDS_PARITY_SCRIPTS();
  const auto* made = folders_.of(GetParam());
  ASSERT_NE(made, nullptr) << "tests/parity/make_bert_cases.py failed";
  const auto folder = *made / GetParam();
  const auto model = PretrainedEncoder::open(folder);
  const auto texts = nlohmann::json::parse(base::read_file(folder / "sentences.json"))
                         .get<std::vector<std::string>>();
  const auto expected =
      nn::load_tensors(folder / "case.safetensors").tensors.at("sentence_vectors");
  const auto vectors = model.sentence_vectors(texts, SentencePooling::kMean);
  EXPECT_FALSE(vectors.requires_grad());
  EXPECT_LE(largest(vectors.to(at::kDouble) - expected), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Models, SentencesSlow, ::testing::Values("minilm"));

}  // namespace
}  // namespace fastformer::nn

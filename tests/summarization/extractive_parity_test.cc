// The extractive model against an oracle in PyTorch that was written without this code
// (tests/parity).
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "fastformer/base/atomic_file.h"
#include "fastformer/nn/tensor_file.h"
#include "fastformer/summarization/extractive/extractive_model.h"
#include "support/parity_case.h"

namespace fastformer::summarization {
namespace {

namespace fs = std::filesystem;

template <class T>
std::vector<T> values_of(const at::Tensor& tensor, at::ScalarType type) {
  const auto converted = tensor.to(type).contiguous();
  const auto* first = converted.const_data_ptr<T>();
  return {first, first + converted.numel()};
}

SentenceBatch sentence_batch_of(const nn::ParameterMap& tensors) {
  SentenceBatch batch;
  batch.documents.ids = values_of<std::int32_t>(tensors.at("ids"), at::kInt);
  batch.documents.offsets = values_of<std::int64_t>(tensors.at("offsets"), at::kLong);
  batch.tokens = values_of<std::int64_t>(tensors.at("tokens"), at::kLong);
  batch.sentences = values_of<std::int64_t>(tensors.at("sentences"), at::kLong);
  for (const auto kind : values_of<std::int32_t>(tensors.at("kinds"), at::kInt)) {
    batch.kinds.push_back(static_cast<text::SentenceKind>(kind));
  }
  batch.oracle = values_of<float>(tensors.at("oracle"), at::kFloat);
  batch.gain = values_of<float>(tensors.at("gain"), at::kFloat);
  return batch;
}

void check_extractive_case(const fs::path& folder) {
  const auto config = nlohmann::json::parse(base::read_file(folder / "config.json"));
  const auto tensors = nn::load_tensors(folder / "case.safetensors").tensors;
  const bool exact = config["dtype"] == "F64";
  const double tolerance = exact ? 1e-9 : 2e-5;
  const auto recipe = base::ConfigTree::from_json(config["recipe"].dump(), folder.string());
  const ExtractiveModel model(ModelConfig::read(recipe), config["vocabulary_size"], 1,
                              exact ? at::kDouble : at::kFloat);
  testing::take_parameters(model.parameters(), tensors, folder.string());
  const auto batch = sentence_batch_of(tensors);
  const auto loss = model.loss(batch, config["soft_targets"], /*training=*/true);
  loss.backward();
  EXPECT_LE(testing::error(loss, tensors.at("loss"), 0), tolerance) << folder << config;
  const double scale = testing::gradient_scale(tensors);
  for (const auto& [name, weight] : model.parameters()) {
    EXPECT_LE(
        testing::error(testing::dense_gradient(weight), tensors.at("gradient." + name), scale),
        tolerance)
        << folder << name << config;
  }
  for (const bool gradients : {true, false}) {
    const c10::AutoGradMode mode(gradients);
    EXPECT_LE(testing::error(model.logits(batch, false), tensors.at("logits"), 0), tolerance)
        << folder << config;
  }
}

TEST(ExtractiveParitySlow, LossGradientsAndScoresAgreeWithTheOracle) {
  FASTFORMER_NEEDS_PARITY_SCRIPTS();
  const testing::TemporaryFolder folder;
  ASSERT_TRUE(testing::run_parity_script("make_extractive_cases.py", folder.path().string()));
  int count = 0;
  for (const auto& entry : fs::directory_iterator(folder.path())) {
    check_extractive_case(entry.path());
    ++count;
  }
  EXPECT_GT(count, 30);
}

}  // namespace
}  // namespace fastformer::summarization

// The models against an oracle in PyTorch that was written without this code (tests/parity).
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "fastformer/base/atomic_file.h"
#include "fastformer/classification/classifier_model.h"
#include "fastformer/classification/loss.h"
#include "fastformer/nn/mixers/mixer.h"
#include "fastformer/nn/tensor_file.h"
#include "support/parity_case.h"

namespace fastformer::classification {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::error;

template <class T>
std::vector<T> numbers(const at::Tensor& tensor) {
  const auto converted = tensor.to(c10::CppTypeToScalarType<T>::value);
  const auto* first = converted.template const_data_ptr<T>();
  return {first, first + converted.numel()};
}

void check_case(const fs::path& folder) {
  const auto config = json::parse(base::read_file(folder / "config.json"));
  const auto tensors = nn::load_tensors(folder / "case.safetensors").tensors;
  const bool exact = config["dtype"] == "F64";
  const double tolerance = exact ? 1e-10 : 1e-5;
  const auto recipe = base::ConfigTree::from_json(config["recipe"].dump(), folder.string());
  const ClassifierModel model(model::ClassifierConfig::read(recipe), config["vocabulary_size"],
                              config["classes"], 1, exact ? at::kDouble : at::kFloat);
  testing::take_parameters(model.parameters(), tensors, folder.string());
  const double scale = testing::gradient_scale(tensors);
  const data::TokenBatch batch{.ids = numbers<std::int32_t>(tensors.at("ids")),
                               .offsets = numbers<std::int64_t>(tensors.at("offsets"))};
  ClassifierTrace trace;
  const auto logits = model.forward(batch, false, &trace);
  const LossConfig loss_config{.label_smoothing = config["label_smoothing"]};
  const std::vector<std::int64_t> counts(static_cast<std::size_t>(model.classes()), 1);
  const auto loss = ClassificationLoss(loss_config, counts)
                        .forward(logits, numbers<std::int32_t>(tensors.at("labels")));
  loss.backward();
  EXPECT_LE(error(logits, tensors.at("output.logits"), 0), tolerance) << config;
  EXPECT_LE(error(trace.encoded, tensors.at("output.encoder"), 0), tolerance) << config;
  EXPECT_LE(error(loss, tensors.at("loss"), 0), tolerance) << config;
  for (const auto& [name, weight] : model.parameters()) {
    const auto gradient = testing::dense_gradient(weight);
    EXPECT_LE(error(gradient, tensors.at("gradient." + name), scale), tolerance)
        << name << " " << config;
  }
}

class ParitySlow : public ::testing::TestWithParam<std::string> {};

TEST_P(ParitySlow, OutputsAndGradientsAgreeWithTheOracle) {
  FASTFORMER_NEEDS_PARITY_SCRIPTS();
  const testing::TemporaryFolder folder;
  ASSERT_TRUE(
      testing::run_parity_script("make_cases.py", folder.path().string() + " " + GetParam()));
  int count = 0;
  for (const auto& entry : fs::directory_iterator(folder.path())) {
    check_case(entry.path());
    ++count;
  }
  EXPECT_GT(count, 10);
}

INSTANTIATE_TEST_SUITE_P(Mixers, ParitySlow, ::testing::ValuesIn(model::mixer_names()));

}  // namespace
}  // namespace fastformer::classification

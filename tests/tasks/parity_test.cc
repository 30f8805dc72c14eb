// The models against an oracle in PyTorch that was written without this code (tests/parity).
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <ostream>

#include "fastformer/base/atomic_file.h"
#include "fastformer/nn/tensor_file.h"
#include "fastformer/tasks/classification_loss.h"
#include "fastformer/tasks/text_classifier.h"
#include "tasks/parity_case.h"

namespace fastformer::tasks {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::error;

// Every field of the encoder has the same name in a case's config.json.
ModelConfig model_config(const json& c, const nn::ParameterMap& tensors, const std::string& form) {
  ModelConfig config;
  nn::EncoderConfig::visit_fields(config.encoder, [&](const char* name, auto& field, auto&&...) {
    if (c.contains(name)) c[name].get_to(field);
  });
  config.encoder.form = form;
  config.encoder.dropout = 0;
  config.max_positions = c["positions"] ? c["max_positions"].get<std::int64_t>() : 0;
  config.bigram_buckets = c["bigram_buckets"];
  config.embedding_normalization = tensors.contains("parameter.embedding.normalization.weight");
  config.embedding_dropout = 0;
  return config;
}

data::RaggedBatch batch_of(const nn::ParameterMap& tensors) {
  data::RaggedBatch batch;
  const auto ids = tensors.at("ids").to(at::kInt), offsets = tensors.at("offsets");
  const auto labels = tensors.at("labels").to(at::kInt);
  const auto* id = ids.const_data_ptr<std::int32_t>();
  const auto* offset = offsets.const_data_ptr<std::int64_t>();
  const auto* label = labels.const_data_ptr<std::int32_t>();
  batch.ids.assign(id, id + ids.numel());
  batch.offsets.assign(offset, offset + offsets.numel());
  batch.labels.assign(label, label + labels.numel());
  return batch;
}

void check_case(const fs::path& folder, const std::string& form) {
  const auto config = json::parse(base::read_file(folder / "config.json"));
  const auto tensors = nn::load_tensors(folder / "case.safetensors").tensors;
  const bool exact = config["dtype"] == "F64";
  const double tolerance = exact ? 1e-10 : 1e-5;
  const TextClassifier model(model_config(config, tensors, form), config["vocabulary_size"],
                             config["classes"], 1, exact ? at::kDouble : at::kFloat);
  testing::take_parameters(model.parameters(), tensors, folder.string());
  const double scale = testing::gradient_scale(tensors);
  const auto batch = batch_of(tensors);
  ClassifierTrace trace;
  const auto logits = model.forward(batch, false, &trace);
  const LossConfig loss_config{.label_smoothing = config["label_smoothing"]};
  const std::vector<std::int64_t> counts(static_cast<std::size_t>(model.classes()), 1);
  const auto loss = ClassificationLoss(loss_config, counts).forward(logits, batch.labels);
  loss.backward();
  EXPECT_LE(error(logits, tensors.at("output.logits"), 0), tolerance) << config;
  EXPECT_LE(error(trace.encoded, tensors.at("output.encoder"), 0), tolerance) << config;
  EXPECT_LE(error(loss, tensors.at("loss"), 0), tolerance) << config;
  for (const auto& [name, weight] : model.parameters()) {
    const auto gradient = testing::dense_gradient(weight);
    EXPECT_LE(error(gradient, tensors.at("gradient." + name), scale), tolerance)
        << name << " " << form << " " << config;
  }
}

struct Run {
  const char* mixer;
  const char* form;
};
std::ostream& operator<<(std::ostream& out, const Run& run) {
  return out << run.mixer << " " << run.form;
}

class ParitySlow : public ::testing::TestWithParam<Run> {
 protected:
  static void TearDownTestSuite() { folders_.clear(); }
  static inline testing::ParityFolders folders_{"make_cases.py"};
};

TEST_P(ParitySlow, OutputsAndGradientsAgreeWithTheOracle) {
  if (!fs::exists(testing::parity_python())) GTEST_SKIP() << testing::kNoPython;
  const auto* folder = folders_.of(GetParam().mixer);  // the same for all forms
  ASSERT_NE(folder, nullptr) << "tests/parity/make_cases.py failed";
  int count = 0;
  for (const auto& entry : fs::directory_iterator(folder->path())) {
    check_case(entry.path(), GetParam().form);
    ++count;
  }
  EXPECT_GT(count, 10);
}

INSTANTIATE_TEST_SUITE_P(Mixers, ParitySlow,
                         ::testing::Values(Run{"additive", "auto"}, Run{"additive", "direct"},
                                           Run{"additive", "shared_query"},
                                           Run{"additive", "merged"}, Run{"softmax", "auto"},
                                           Run{"sliding_window", "auto"}, Run{"low_rank", "auto"},
                                           Run{"linear", "auto"}, Run{"pooling", "auto"},
                                           Run{"block_sparse", "auto"}));

}  // namespace
}  // namespace fastformer::tasks

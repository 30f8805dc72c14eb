// The models against an oracle in PyTorch that was written without this code (tests/parity).
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "fastformer/base/atomic_file.h"
#include "fastformer/nn/tensor_file.h"
#include "fastformer/tasks/classification_loss.h"
#include "fastformer/tasks/text_classifier.h"
#include "support/temporary_folder.h"
#include "tasks/parity_error.h"

namespace fastformer::tasks {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::error;
using testing::largest;

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
  nn::ParameterMap parameters;
  double scale = 0;
  for (const auto& [name, tensor] : tensors) {
    if (name.starts_with("parameter.")) parameters[name.substr(10)] = tensor;
    if (name.starts_with("gradient.")) scale = std::max(scale, largest(tensor));
  }
  nn::assign(model.parameters(), parameters, folder.string());
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
    auto gradient = weight.grad();
    if (!gradient.defined()) gradient = at::zeros_like(weight);
    if (gradient.is_sparse()) gradient = gradient.to_dense();
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
  // The folder of a mixer's cases, made once for all forms; null if they could not be made.
  static const testing::TemporaryFolder* cases(const std::string& mixer) {
    auto [entry, missing] = folders_.try_emplace(mixer);
    if (!missing) return entry->second.get();
    auto folder = std::make_unique<testing::TemporaryFolder>();
    const auto command = kPython.string() + " " +
                         (kSource / "tests/parity/make_cases.py").string() + " " +
                         folder->path().string() + " " + mixer;
    if (std::system(command.c_str()) == 0) entry->second = std::move(folder);
    return entry->second.get();
  }
  static void TearDownTestSuite() { folders_.clear(); }

  static inline const fs::path kSource = FASTFORMER_SOURCE_DIR;
  static inline const fs::path kPython = kSource / ".venv/bin/python";
  static inline std::map<std::string, std::unique_ptr<testing::TemporaryFolder>> folders_;
};

TEST_P(ParitySlow, OutputsAndGradientsAgreeWithTheOracle) {
  if (!fs::exists(kPython)) GTEST_SKIP() << "no .venv: run scripts/setup --tests";
  const auto* folder = cases(GetParam().mixer);
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
                                           Run{"linear", "auto"}, Run{"pooling", "auto"}));

}  // namespace
}  // namespace fastformer::tasks

// The summarizer against an oracle in PyTorch that was written without this code (tests/parity).
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "fastformer/base/atomic_file.h"
#include "fastformer/nn/tensor_file.h"
#include "fastformer/tasks/summarizer.h"
#include "tasks/parity_case.h"

namespace fastformer::tasks {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::error;

// Every field has the same name in a case's config.json, but for those that oracles share.
SummarizerConfig summarizer_config(const json& c) {
  SummarizerConfig config;
  SummarizerConfig::visit_fields(config, [&](const char* name, auto& field, auto&&...) {
    if (c.contains(name)) c[name].get_to(field);
  });
  config.source.encoder.dropout = 0;
  config.source.embedding_dropout = 0;
  config.source.embedding_normalization = c["normalization"] != "none";
  if (!c["positions"]) config.source.max_positions = 0;
  config.decoder_dropout = 0;
  return config;
}

template <class T>
std::vector<T> numbers(const at::Tensor& tensor) {
  const auto* first = tensor.const_data_ptr<T>();
  return {first, first + tensor.numel()};
}

struct Batch {
  explicit Batch(const nn::ParameterMap& tensors)
      : ids(numbers<std::int32_t>(tensors.at("ids").to(at::kInt))),
        target_ids(numbers<std::int32_t>(tensors.at("target_ids").to(at::kInt))),
        offsets(numbers<std::int64_t>(tensors.at("offsets"))),
        target_offsets(numbers<std::int64_t>(tensors.at("target_offsets"))) {}
  SummaryBatch view() const { return {ids, offsets, target_ids, target_offsets}; }

  std::vector<std::int32_t> ids, target_ids;
  std::vector<std::int64_t> offsets, target_offsets;
};

// The log-probabilities of all rows of all summaries, written token by token.
at::Tensor stepwise(const Summarizer& model, const Batch& batch) {
  const nn::Offsets targets(batch.target_offsets);
  std::vector<std::vector<at::Tensor>> rows(static_cast<std::size_t>(targets.size()));
  auto state = model.begin(batch.ids, nn::Offsets(batch.offsets));
  std::vector<std::int64_t> running;
  for (std::int64_t b = 0; b < targets.size(); ++b) running.push_back(b);
  for (std::int64_t t = 0; !running.empty(); ++t) {
    std::vector<std::int32_t> tokens;
    for (const auto b : running) {
      tokens.push_back(t == 0 ? model.vocabulary().begin
                              : batch.target_ids[targets.begin_of(b) + t - 1]);
    }
    const auto log_p = model.step(tokens, state);
    std::vector<std::int64_t> parents, left;
    for (std::size_t i = 0; i < running.size(); ++i) {
      rows[running[i]].push_back(log_p[static_cast<std::int64_t>(i)]);
      if (t == targets.length(running[i])) continue;
      parents.push_back(static_cast<std::int64_t>(i));
      left.push_back(running[i]);
    }
    running = left;
    state.decoder.select(parents);
  }
  std::vector<at::Tensor> all;
  for (const auto& of_summary : rows) all.insert(all.end(), of_summary.begin(), of_summary.end());
  return at::stack(all);
}

void check_case(const fs::path& folder) {
  const auto config = json::parse(base::read_file(folder / "config.json"));
  const auto tensors = nn::load_tensors(folder / "case.safetensors").tensors;
  const bool exact = config["dtype"] == "F64";
  const double tolerance = exact ? 1e-9 : 1e-5;
  const Summarizer model(summarizer_config(config),
                         {config["vocabulary_size"], config["begin"], config["end"]}, 1,
                         exact ? at::kDouble : at::kFloat);
  testing::take_parameters(model.parameters(), tensors, folder.string());
  const double scale = testing::gradient_scale(tensors);
  const Batch batch(tensors);
  const auto loss = model.loss(batch.view(), config["label_smoothing"], /*training=*/true);
  loss.backward();
  EXPECT_LE(error(loss, tensors.at("loss"), 0), tolerance) << config;
  for (const auto& [name, weight] : model.parameters()) {
    const auto gradient = testing::dense_gradient(weight);
    EXPECT_LE(error(gradient, tensors.at("gradient." + name), scale), tolerance)
        << name << " " << config;
  }
  EXPECT_LE(error(stepwise(model, batch), tensors.at("log_probabilities"), 0), tolerance) << config;
}

TEST(SummarizerParitySlow, LossGradientsAndStepsAgreeWithTheOracle) {
  if (!fs::exists(testing::parity_python())) GTEST_SKIP() << testing::kNoPython;
  const testing::TemporaryFolder folder;
  ASSERT_TRUE(testing::run_parity_script("make_summarizer_cases.py", folder.path().string()));
  int count = 0;
  for (const auto& entry : fs::directory_iterator(folder.path())) {
    check_case(entry.path());
    ++count;
  }
  EXPECT_GT(count, 30);
}

}  // namespace
}  // namespace fastformer::tasks

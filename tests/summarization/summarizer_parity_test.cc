// The summarizer against an oracle in PyTorch that was written without this code (tests/parity).
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "fastformer/base/atomic_file.h"
#include "fastformer/nn/tensor_file.h"
#include "fastformer/summarization/abstractive/summarizer_model.h"
#include "support/parity_case.h"

namespace fastformer::summarization {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::error;

template <class T>
std::vector<T> numbers(const at::Tensor& tensor) {
  const auto* first = tensor.const_data_ptr<T>();
  return {first, first + tensor.numel()};
}

PairBatch batch_of(const nn::ParameterMap& tensors) {
  return {.source = {.ids = numbers<std::int32_t>(tensors.at("ids").to(at::kInt)),
                     .offsets = numbers<std::int64_t>(tensors.at("offsets"))},
          .target = {.ids = numbers<std::int32_t>(tensors.at("target_ids").to(at::kInt)),
                     .offsets = numbers<std::int64_t>(tensors.at("target_offsets"))}};
}

// The log-probabilities of all rows of all summaries, written token by token.
at::Tensor stepwise(const SummarizerModel& model, const PairBatch& batch) {
  const nn::Offsets targets(batch.target.offsets);
  std::vector<std::vector<at::Tensor>> rows(static_cast<std::size_t>(targets.size()));
  auto state = model.begin(batch.source.ids, nn::Offsets(batch.source.offsets));
  std::vector<std::int64_t> running;
  for (std::int64_t b = 0; b < targets.size(); ++b) running.push_back(b);
  for (std::int64_t t = 0; !running.empty(); ++t) {
    std::vector<std::int32_t> tokens;
    for (const auto b : running) {
      tokens.push_back(t == 0 ? model.vocabulary().begin
                              : batch.target.ids[targets.begin_of(b) + t - 1]);
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
  const auto recipe = base::ConfigTree::from_json(config["recipe"].dump(), folder.string());
  const SummarizerModel model(ModelConfig::read(recipe),
                              {config["vocabulary_size"], config["begin"], config["end"]}, 1,
                              exact ? at::kDouble : at::kFloat);
  testing::take_parameters(model.parameters(), tensors, folder.string());
  const double scale = testing::gradient_scale(tensors);
  const auto batch = batch_of(tensors);
  const auto loss = model.loss(batch, config["label_smoothing"], /*training=*/true);
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
  FASTFORMER_NEEDS_PARITY_SCRIPTS();
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
}  // namespace fastformer::summarization

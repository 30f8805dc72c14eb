// The summarizer against an oracle in PyTorch that was written without this code (tests/parity).
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "fastformer/base/atomic_file.h"
#include "fastformer/nn/tensor_file.h"
#include "fastformer/tasks/summarizer.h"
#include "support/temporary_folder.h"
#include "tasks/parity_error.h"

namespace fastformer::tasks {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::error;
using testing::largest;

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
  nn::ParameterMap parameters;
  double scale = 0;
  for (const auto& [name, tensor] : tensors) {
    if (name.starts_with("parameter.")) parameters[name.substr(10)] = tensor;
    if (name.starts_with("gradient.")) scale = std::max(scale, largest(tensor));
  }
  nn::assign(model.parameters(), parameters, folder.string());
  const Batch batch(tensors);
  const auto loss = model.loss(batch.view(), config["label_smoothing"], /*training=*/true);
  loss.backward();
  EXPECT_LE(error(loss, tensors.at("loss"), 0), tolerance) << config;
  for (const auto& [name, weight] : model.parameters()) {
    auto gradient = weight.grad();
    if (!gradient.defined()) gradient = at::zeros_like(weight);
    if (gradient.is_sparse()) gradient = gradient.to_dense();
    EXPECT_LE(error(gradient, tensors.at("gradient." + name), scale), tolerance)
        << name << " " << config;
  }
  EXPECT_LE(error(stepwise(model, batch), tensors.at("log_probabilities"), 0), tolerance) << config;
}

TEST(SummarizerParitySlow, LossGradientsAndStepsAgreeWithTheOracle) {
  const fs::path source = FASTFORMER_SOURCE_DIR, python = source / ".venv/bin/python";
  if (!fs::exists(python)) GTEST_SKIP() << "no .venv: run scripts/setup --tests";
  const testing::TemporaryFolder folder;
  const auto command = python.string() + " " +
                       (source / "tests/parity/make_summarizer_cases.py").string() + " " +
                       folder.path().string();
  ASSERT_EQ(std::system(command.c_str()), 0) << "tests/parity/make_summarizer_cases.py failed";
  int count = 0;
  for (const auto& entry : fs::directory_iterator(folder.path())) {
    check_case(entry.path());
    ++count;
  }
  EXPECT_GT(count, 30);
}

}  // namespace
}  // namespace fastformer::tasks

// The recommenders against an oracle in PyTorch that was written without this code (tests/parity).
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "fastformer/base/atomic_file.h"
#include "fastformer/nn/tensor_file.h"
#include "fastformer/recommendation/recommender_model.h"
#include "support/parity_case.h"

namespace fastformer::recommendation {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::error;
using testing::largest;

// Where all candidates have equal scores, nothing can be learned, and rounding is all there is.
constexpr double kZeroByAlgebra = 1e-12;

template <class T>
std::vector<T> list(const nn::ParameterMap& tensors, const std::string& name) {
  const auto values = tensors.at(name).to(at::kLong).contiguous();
  const auto* first = values.const_data_ptr<std::int64_t>();
  return {first, first + values.numel()};
}

ItemBatch item_batch_of(const nn::ParameterMap& tensors) {
  return {.items = {},
          .token_ids = list<std::int32_t>(tensors, "token_ids"),
          .token_offsets = list<std::int64_t>(tensors, "token_offsets"),
          .history = list<std::int64_t>(tensors, "history"),
          .history_offsets = list<std::int64_t>(tensors, "history_offsets"),
          .candidates = list<std::int64_t>(tensors, "candidates"),
          .candidate_offsets = list<std::int64_t>(tensors, "candidate_offsets")};
}

void check_vectors(const RecommenderModel& model, const ItemBatch& batch,
                   const nn::ParameterMap& tensors, double tolerance, const json& config) {
  const c10::NoGradGuard no_gradients;
  const auto items = model.encode_items(batch.token_ids, nn::Offsets(batch.token_offsets));
  const ItemLists histories{batch.history, nn::Offsets(batch.history_offsets)};
  const ItemLists candidates{batch.candidates, nn::Offsets(batch.candidate_offsets)};
  EXPECT_LE(error(model.score(items, histories, candidates), tensors.at("scores"), 0.1), tolerance)
      << config;
  if (!tensors.contains("items")) {
    EXPECT_THROW(model.encode_users(items, histories), std::invalid_argument);
    return;
  }
  EXPECT_LE(error(items, tensors.at("items"), 0.1), tolerance) << config;
  EXPECT_LE(error(model.encode_users(items, histories), tensors.at("users"), 0.1), tolerance)
      << config;
}

void check_case(const fs::path& folder) {
  const auto config = json::parse(base::read_file(folder / "config.json"));
  const auto tensors = nn::load_tensors(folder / "case.safetensors").tensors;
  const bool exact = config["dtype"] == "F64";
  const double tolerance = exact ? 1e-9 : 1e-5;
  const auto recipe = base::ConfigTree::from_json(config["recipe"].dump(), folder.string());
  // Drawn, since the folder of a pre-trained encoder has no weights here.
  const RecommenderModel model(ModelConfig::read(recipe), config["vocabulary_size"],
                               nn::ParameterStore(1, exact ? at::kDouble : at::kFloat));
  testing::take_parameters(model.parameters(), tensors, folder.string());
  const double scale = testing::gradient_scale(tensors);
  const auto batch = item_batch_of(tensors);
  const auto scores = model.scores(batch, /*training=*/true);
  const auto loss = model.loss(batch, /*training=*/true);
  loss.backward();
  EXPECT_LE(error(scores, tensors.at("scores"), 0.1), tolerance) << config;
  EXPECT_LE(error(loss, tensors.at("loss"), 0.1), tolerance) << config;
  for (const auto& [name, weight] : model.parameters()) {
    const auto gradient = testing::dense_gradient(weight);
    const auto& expected = tensors.at("gradient." + name);
    if (scale < kZeroByAlgebra) {
      EXPECT_LT(largest(gradient), kZeroByAlgebra) << name << " " << config;
    } else {
      EXPECT_LE(error(gradient, expected, scale), tolerance) << name << " " << config;
    }
  }
  check_vectors(model, batch, tensors, tolerance, config);
}

class RecommenderParitySlow : public ::testing::TestWithParam<const char*> {};

TEST_P(RecommenderParitySlow, ScoresLossAndGradientsAgreeWithTheOracle) {
  FASTFORMER_NEEDS_PARITY_SCRIPTS();
  const testing::TemporaryFolder folder;
  ASSERT_TRUE(testing::run_parity_script("make_recommender_cases.py",
                                         folder.path().string() + " " + GetParam()));
  int count = 0;
  for (const auto& entry : fs::directory_iterator(folder.path())) {
    check_case(entry.path());
    ++count;
  }
  EXPECT_GT(count, 6);
}

INSTANTIATE_TEST_SUITE_P(Models, RecommenderParitySlow,
                         ::testing::Values("fastformer", "fim", "nrms", "plm_nr",
                                           "fastformer_plm_nr"));

}  // namespace
}  // namespace fastformer::recommendation

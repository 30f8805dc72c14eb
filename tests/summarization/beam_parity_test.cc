// The beam search against that of the library Transformers, on the same scores.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "fastformer/base/atomic_file.h"
#include "fastformer/summarization/abstractive/beam_search.h"
#include "summarization/table_model.h"
#include "support/parity_script.h"

namespace fastformer::summarization {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

at::Tensor table_of(const json& c) {
  const auto values = c["table"].get<std::vector<double>>();
  const std::int64_t steps = c["max_tokens"], size = c["vocabulary_size"];
  return at::tensor(values, at::kDouble).view({1, steps, size, size});
}

void check_case(const json& c) {
  SearchConfig config;
  config.beams = c["beams"];
  config.length_penalty = c["length_penalty"];
  config.min_tokens = c["min_tokens"];
  config.max_tokens = c["max_tokens"];
  config.blocked_ngram = c["blocked_ngram"];
  TableModel model(table_of(c));
  const auto texts = beam_search(model, {0, 1, {}}, config)[0];
  ASSERT_EQ(texts.size(), c["texts"].size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto& expected = c["texts"][i];
    EXPECT_EQ(texts[i].tokens, expected["tokens"].get<std::vector<std::int32_t>>()) << i;
    EXPECT_EQ(texts[i].ended, expected["ended"].get<bool>()) << i;
    EXPECT_NEAR(texts[i].score, expected["score"].get<double>(), 1e-4) << i;
  }
}

TEST(BeamParitySlow, FindsWhatTransformersFinds) {
  FASTFORMER_NEEDS_PARITY_SCRIPTS();
  const testing::TemporaryFolder folder;
  const auto file = folder.path() / "cases.json";
  ASSERT_TRUE(testing::run_parity_script("make_beam_cases.py", file.string()));
  const auto cases = json::parse(base::read_file(file));
  EXPECT_GT(cases.size(), 100U);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(i);
    check_case(cases[i]);
  }
}

}  // namespace
}  // namespace fastformer::summarization

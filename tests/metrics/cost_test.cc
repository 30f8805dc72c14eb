// The time of ROUGE grows with the size of each text.
#include <stdexcept>

#include "fastformer/metrics/rouge/extractive.h"
#include "fastformer/metrics/rouge/porter_stemmer.h"
#include "fastformer/metrics/rouge/rouge.h"
#include "support/cost_check.h"

namespace fastformer::metrics {
namespace {

using testing::expect_linear;
using testing::filled;

const std::vector<std::string> kParts = {"a ", "a b c d ", "a\n", "b a\nb c\n", "aaaaaaaa"};

void score(const std::string& candidate, const std::string& reference) {
  try {
    RougeScorer(/*stem=*/true).score(candidate, reference);
  } catch (const std::invalid_argument&) {
    return;  // too long
  }
}

// The longest common subsequence takes the product of both sizes by definition: one of them stays.
TEST(MetricsCostSlow, Rouge) {
  constexpr std::size_t kFixed = 2000;
  for (const auto& part : kParts) {
    const auto fixed = filled(part, kFixed);
    const auto make = [&](std::size_t size) { return filled(part, size); };
    expect_linear("candidate of " + part, make,
                  [&](const std::string& text) { score(text, fixed); });
    expect_linear("reference of " + part, make,
                  [&](const std::string& text) { score(fixed, text); });
  }
}

TEST(MetricsCostSlow, RougeOfDifferentWords) {
  const auto make = [](std::size_t size) {
    std::string text;
    for (int i = 0; text.size() < size; ++i) text += std::to_string(i) + "\n";
    return text;
  };
  const auto fixed = make(2000);
  expect_linear("candidate", make, [&](const std::string& text) { score(text, fixed); });
  expect_linear("reference", make, [&](const std::string& text) { score(fixed, text); });
}

TEST(MetricsCostSlow, Stemmer) {
  for (const std::string part : {"y", "ed", "ing", "ational", "e", "s"}) {
    expect_linear(
        "stem of " + part, [&](std::size_t size) { return filled(part, size); },
        [](const std::string& word) { porter_stem(word); });
  }
}

TEST(MetricsCostSlow, SummaryMeter) {
  for (const auto& part : kParts) {
    expect_linear(
        "summary of " + part, [&](std::size_t size) { return filled(part, size); },
        [](const std::string& text) { SummaryMeter().measure(text, text); });
  }
}

TEST(MetricsCostSlow, ExtractiveOracle) {
  expect_linear(
      "sentences",
      [](std::size_t size) { return std::vector<std::string_view>(size / 8, "a b c"); },
      [](const auto& sentences) { ExtractiveOracle().choose(sentences, "a b c d", 3); });
}

}  // namespace
}  // namespace fastformer::metrics

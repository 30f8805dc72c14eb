// The time of finding n-grams grows with the size of the text, whatever it holds.
#include "fastformer/linear/ngram_table.h"
#include "support/cost_check.h"

namespace fastformer::linear {
namespace {

TEST(LinearCostSlow, Ngrams) {
  const NgramReader reader({.words = 4, .characters = 8}, {});
  for (const std::string part : {"a", "a ", "\u4e2d", "\u0301", "\xff", ".", "a'", "abcdefgh "}) {
    testing::expect_linear(
        "n-grams of " + part, [&](std::size_t size) { return testing::filled(part, size); },
        [&](const std::string& text) { reader.visit(text, [](const Ngram&) {}); });
  }
}

}  // namespace
}  // namespace fastformer::linear

#include "fastformer/classification/dataset_notices.h"

#include <algorithm>
#include <cstdint>

#include "fastformer/base/format.h"

namespace fastformer::classification {
namespace {

double unknown_share(const data::Corpus& texts, std::int32_t unknown) {
  std::int64_t count = 0;
  for (std::int64_t row = 0; row < texts.size(); ++row) {
    const auto tokens = texts.tokens(row);
    count += std::count(tokens.begin(), tokens.end(), unknown);
  }
  return static_cast<double>(count) / static_cast<double>(texts.total_tokens());
}

}  // namespace

std::vector<std::string> token_notices(const Dataset& dataset) {
  constexpr double kMostUnknown = 0.2, kShortText = 1.5;
  std::vector<std::string> notices;
  const auto& texts = dataset.train.texts;
  const double mean = static_cast<double>(texts.total_tokens()) /
                      static_cast<double>(std::max<std::int64_t>(1, texts.size()));
  if (mean < kShortText) {
    notices.push_back(base::format(
        "the training texts have %.1f tokens on average; check data.text_columns, and for a script "
        "without spaces between words use text.tokenizer = \"sentencepiece\"",
        mean));
  }
  const std::pair<const char*, const data::Corpus*> parts[] = {
      {"training", &texts},
      {"validation", &dataset.validation.texts},
      {"test", &dataset.test.texts}};
  for (const auto& [name, part] : parts) {
    if (part->total_tokens() == 0) continue;
    const double share = unknown_share(*part, dataset.tokenizer->unknown_id());
    if (share <= kMostUnknown) continue;
    notices.push_back(base::format(
        "%.0f %% of the tokens of the %s texts are not in the vocabulary; lower "
        "text.minimum_count, or use text.tokenizer = \"sentencepiece\" or more training texts",
        100 * share, name));
    break;
  }
  return notices;
}

}  // namespace fastformer::classification

#include "fastformer/classification/dataset_notices.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "fastformer/base/ascii.h"
#include "fastformer/base/format.h"
#include "fastformer/base/printable.h"

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

void TextOverlap::add(std::string_view text, data::Part part) {
  if (!text.empty()) {
    parts_.at(static_cast<std::size_t>(part)).push_back(std::hash<std::string_view>()(text));
  }
}

std::vector<std::string> TextOverlap::notices() const {
  constexpr double kFew = 0.01;
  auto train = parts_.at(static_cast<std::size_t>(data::Part::kTrain));
  std::ranges::sort(train);
  std::vector<std::string> notices;
  for (const auto& [part, name] :
       {std::pair(data::Part::kValidation, "validation"), std::pair(data::Part::kTest, "test")}) {
    const auto& texts = parts_.at(static_cast<std::size_t>(part));
    const auto shared = std::ranges::count_if(
        texts, [&](auto text) { return std::ranges::binary_search(train, text); });
    const auto share = static_cast<double>(shared) / static_cast<double>(texts.size());
    if (shared < 2 || share < kFew) continue;
    notices.push_back(base::format(
        "%td of the %zu %s texts are also training texts, so that its figures are too good; remove "
        "repeated texts, or name what they share in data.group_column",
        shared, texts.size(), name));
  }
  return notices;
}

std::vector<std::string> part_notices(const DataConfig& config, const Dataset& dataset) {
  std::vector<std::string> notices;
  const auto check = [&](const char* name, double fraction, const LabelledCorpus& part) {
    if (fraction == 0 || part.size() > 0) return;
    notices.push_back(base::format(
        "data.%s_fraction = %g of so few rows is none: there is no %s part", name, fraction, name));
  };
  check("validation", config.validation.empty() ? config.validation_fraction : 0,
        dataset.validation);
  check("test", config.test.empty() ? config.test_fraction : 0, dataset.test);
  std::map<std::string, std::string> seen;  // by the label in lower case
  for (const auto& label : dataset.labels) {
    const auto [other, added] = seen.emplace(base::ascii_lowercase(label), label);
    if (added) continue;
    notices.push_back("the labels '" + base::excerpt(other->second) + "' and '" +
                      base::excerpt(label) + "' differ only in case, and are two classes");
    break;
  }
  return notices;
}

std::vector<std::string> token_notices(const Dataset& dataset) {
  constexpr double kMostUnknown = 0.2, kShortText = 1.5, kManyTruncated = 0.1;
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
  const double truncated = static_cast<double>(texts.truncated()) /
                           static_cast<double>(std::max<std::int64_t>(1, texts.size()));
  if (truncated >= kManyTruncated) {
    notices.push_back(base::format(
        "%.0f %% of the training texts are truncated to data.max_tokens; what follows is not read",
        100 * truncated));
  }
  return notices;
}

}  // namespace fastformer::classification

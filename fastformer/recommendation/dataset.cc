#include "fastformer/recommendation/dataset.h"

#include <functional>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "fastformer/base/format.h"
#include "fastformer/recommendation/data_config.h"

namespace fastformer::recommendation {
namespace {

Dataset tokenized(ClickSource source, std::unique_ptr<text::Tokenizer> tokenizer,
                  const DataConfig& config) {
  Dataset dataset;
  dataset.titles = tokenize_titles(source.items, *tokenizer, config.title_tokens);
  dataset.tokenizer = std::move(tokenizer);
  dataset.items = std::move(source.items);
  dataset.parts = std::move(source.parts);
  dataset.notices = std::move(source.notices);
  return dataset;
}

std::string row(const char* name, const LogParts& parts,
                const std::function<std::int64_t(const ImpressionLog&)>& value) {
  return base::format(
      "%-22s %12lld %12lld %12lld\n", name, static_cast<long long>(value(parts.train)),
      static_cast<long long>(value(parts.validation)), static_cast<long long>(value(parts.test)));
}

std::string row(const char* name, const LogParts& parts, std::int64_t ClickCounts::* field) {
  return row(name, parts, [field](const ImpressionLog& log) { return log.counts().*field; });
}

// Checked before the training, not at its end.
void check_validation(const ImpressionLog& validation) {
  if (validation.labelled() || validation.size() == 0) return;
  throw std::invalid_argument(
      "the impressions of data.validation have no labels -0 and -1, so they cannot select the best "
      "epoch; give impressions with labels (only a test part may have none)");
}

void check_measurable(const ImpressionLog& log, const char* part) {
  if (!log.labelled() || log.size() == 0 || log.measurable() > 0) return;
  throw std::invalid_argument(base::format(
      "the %s part: none of the %lld impressions has both a clicked and an unclicked item, so "
      "nothing can be measured on it; use other impressions for it, or remove it",
      part, static_cast<long long>(log.size())));
}

}  // namespace

Dataset prepare(ClickSource source, const DataConfig& config,
                const text::TokenizerConfig& text_config, const std::filesystem::path& start) {
  text_config.validate();
  check_validation(source.parts.validation);
  check_measurable(source.parts.validation, "validation");
  check_measurable(source.parts.test, "test");
  const text::TextSource titles = [&](const std::function<void(std::string_view)>& use_text) {
    for (std::int32_t n = 1; n <= source.training_items; ++n) use_text(source.items.title(n));
  };
  auto tokenizer = start.empty() ? text::make_tokenizer(text_config, titles)
                                 : text::extend_tokenizer(start, text_config, titles);
  return tokenized(std::move(source), std::move(tokenizer), config);
}

Dataset prepare(const DataConfig& config, const text::TokenizerConfig& text_config,
                const std::filesystem::path& start) {
  if (config.train.empty()) {
    throw std::invalid_argument(
        "data.train is empty; list the folders with the training impressions");
  }
  return prepare(read_clicks(config), config, text_config, start);
}

Dataset prepare(const DataConfig& config, std::unique_ptr<text::Tokenizer> tokenizer) {
  return tokenized(read_clicks(config), std::move(tokenizer), config);
}

std::string Dataset::summary() const {
  std::string table = base::format("%-22s %12s %12s %12s\n", "", "train", "validation", "test");
  table += row("users", parts, &ClickCounts::users);
  table += row("impressions", parts, [](const ImpressionLog& log) { return log.size(); });
  table += row("shown items", parts, &ClickCounts::candidates);
  table += row("clicks", parts, &ClickCounts::clicks);
  table += row("empty histories", parts, &ClickCounts::empty_histories);
  table += row("no click", parts, &ClickCounts::without_clicks);
  table += row("only clicks", parts, &ClickCounts::without_negatives);
  table += row("unknown in histories", parts, &ClickCounts::unknown_history);
  table += row("unknown shown", parts, &ClickCounts::unknown_candidates);
  const auto tokens = static_cast<double>(titles.ids.size());
  const auto count = static_cast<double>(items.size() - 1);
  table += base::format(
      "items %lld   categories %zu   mean title %.1f tokens   truncated %lld   without a title "
      "%lld\n",
      static_cast<long long>(items.size() - 1), items.categories().size(),
      count > 0 ? tokens / count : 0.0, static_cast<long long>(titles.cut),
      static_cast<long long>(titles.empty));
  return table;
}

}  // namespace fastformer::recommendation

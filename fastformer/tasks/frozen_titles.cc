#include "fastformer/tasks/frozen_titles.h"

#include <algorithm>
#include <span>
#include <vector>

namespace fastformer::tasks {
namespace {
constexpr std::int64_t kTokensAtOnce = 16'384;
}  // namespace

FrozenTitles::FrozenTitles(const Recommender& model, const data::TitleTokens& titles,
                           std::int64_t limit)
    : model_(model), titles_(titles) {
  const auto element = model.parameters().begin()->second.element_size();
  const auto bytes = titles.offsets.back() * model.config().word_width() * element;
  if (model.has_frozen_rows() && bytes <= limit) bytes_ = bytes;
}

void FrozenTitles::compute() {
  const auto& offsets = titles_.offsets;
  for (std::int64_t first = 0, last = 0; first < titles_.size(); first = last) {
    const auto begin = offsets[static_cast<std::size_t>(first)];
    std::vector<std::int64_t> part = {0};
    while (last < titles_.size() && part.back() < kTokensAtOnce) {
      part.push_back(offsets[static_cast<std::size_t>(++last)] - begin);
    }
    const auto ids =
        std::span(titles_.ids)
            .subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(part.back()));
    const auto rows = model_.frozen_rows(ids, nn::Offsets(part));
    if (!rows_.defined()) rows_ = at::empty({offsets.back(), rows.size(1)}, rows.options());
    rows_.narrow(0, begin, rows.size(0)).copy_(rows);
  }
}

at::Tensor FrozenTitles::rows(const NewsBatch& batch) {
  if (bytes_ == 0) return {};
  if (!rows_.defined()) compute();
  std::vector<std::int64_t> tokens;
  tokens.reserve(batch.token_ids.size());
  for (const auto news : batch.news) {
    const auto first = titles_.offsets[static_cast<std::size_t>(news)];
    const auto last = titles_.offsets[static_cast<std::size_t>(news) + 1];
    for (auto token = first; token < last; ++token) tokens.push_back(token);
  }
  return select_rows(rows_, tokens);
}

}  // namespace fastformer::tasks

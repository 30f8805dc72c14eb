#include "fastformer/recommendation/frozen_titles.h"

#include <numeric>
#include <vector>

namespace fastformer::recommendation {

FrozenTitles::FrozenTitles(const RecommenderModel& model, const TitleTokens& titles,
                           std::int64_t limit)
    : model_(model), titles_(titles) {
  const auto element = model.parameters().begin()->second.element_size();
  const auto bytes = titles.offsets.back() * model.config().word_width() * element;
  if (model.has_frozen_rows() && bytes <= limit) bytes_ = bytes;
}

void FrozenTitles::compute() {
  std::vector<std::int32_t> all(static_cast<std::size_t>(titles_.size()));
  std::iota(all.begin(), all.end(), 0);
  std::int64_t done = 0;
  for_each_title_batch(titles_, all, [&](const ItemBatch& batch) {
    const auto rows = model_.frozen_rows(batch.token_ids, nn::Offsets(batch.token_offsets));
    if (!rows_.defined()) {
      rows_ = at::empty({titles_.offsets.back(), rows.size(1)}, rows.options());
    }
    rows_.narrow(0, done, rows.size(0)).copy_(rows);
    done += rows.size(0);
  });
}

at::Tensor FrozenTitles::rows(const ItemBatch& batch) {
  if (bytes_ == 0) return {};
  if (!rows_.defined()) compute();
  std::vector<std::int64_t> tokens;
  tokens.reserve(batch.token_ids.size());
  for (const auto item : batch.items) {
    const auto first = titles_.offsets[static_cast<std::size_t>(item)];
    const auto last = titles_.offsets[static_cast<std::size_t>(item) + 1];
    for (auto token = first; token < last; ++token) tokens.push_back(token);
  }
  return select_rows(rows_, tokens);
}

}  // namespace fastformer::recommendation

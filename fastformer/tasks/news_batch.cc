#include "fastformer/tasks/news_batch.h"

#include <stdexcept>
#include <string>
#include <utility>

namespace fastformer::tasks {
namespace {
constexpr std::int64_t kTokensAtOnce = 16'384;
}  // namespace

std::int64_t NewsBatchBuilder::position(std::int32_t news) {
  const auto next = static_cast<std::int64_t>(batch_.news.size());
  const auto [entry, added] = positions_.emplace(news, next);
  if (!added) return entry->second;
  if (news < 0 || news >= titles_.size()) {
    throw std::invalid_argument("the news number " + std::to_string(news) + " is not among the " +
                                std::to_string(titles_.size()) +
                                " titles; use the table that the log was read with");
  }
  const auto title = titles_.title(news);
  batch_.news.push_back(news);
  batch_.token_ids.insert(batch_.token_ids.end(), title.begin(), title.end());
  batch_.token_offsets.push_back(batch_.tokens());
  return next;
}

void NewsBatchBuilder::add(std::span<const std::int32_t> history,
                           std::span<const std::int32_t> candidates) {
  for (const auto news : history) batch_.history.push_back(position(news));
  for (const auto news : candidates) batch_.candidates.push_back(position(news));
  batch_.history_offsets.push_back(static_cast<std::int64_t>(batch_.history.size()));
  batch_.candidate_offsets.push_back(static_cast<std::int64_t>(batch_.candidates.size()));
}

NewsBatch NewsBatchBuilder::take() {
  positions_.clear();
  return std::exchange(batch_, NewsBatch{});
}

void for_each_title_batch(const data::TitleTokens& titles, std::span<const std::int32_t> news,
                          const std::function<void(const NewsBatch&)>& body) {
  NewsBatchBuilder builder(titles);
  while (!news.empty()) {
    std::size_t count = 0;
    for (std::int64_t tokens = 0; count < news.size() && tokens < kTokensAtOnce; ++count) {
      tokens += 1 + static_cast<std::int64_t>(titles.title(news[count]).size());
    }
    builder.add(news.first(count), {});
    body(builder.take());
    news = news.subspan(count);
  }
}

}  // namespace fastformer::tasks

#include "fastformer/tasks/title_vectors.h"

#include <vector>

#include "fastformer/tasks/news_batch.h"

namespace fastformer::tasks {
namespace {
constexpr std::int64_t kTokensAtOnce = 16'384;
}  // namespace

at::Tensor encode_titles(const Recommender& model, const data::TitleTokens& titles,
                         std::span<const std::int32_t> news) {
  const c10::NoGradGuard no_gradients;
  NewsBatchBuilder builder(titles);
  std::vector<at::Tensor> parts;
  while (!news.empty()) {
    std::size_t count = 0;
    for (std::int64_t tokens = 0; count < news.size() && tokens < kTokensAtOnce; ++count) {
      tokens += 1 + static_cast<std::int64_t>(titles.title(news[count]).size());
    }
    builder.add(news.first(count), {});
    const auto batch = builder.take();
    parts.push_back(model.encode_news(batch.token_ids, nn::Offsets(batch.token_offsets)));
    news = news.subspan(count);
  }
  return at::cat(parts);
}

}  // namespace fastformer::tasks

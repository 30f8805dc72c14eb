#include "fastformer/tasks/title_vectors.h"

#include <vector>

#include "fastformer/tasks/news_batch.h"

namespace fastformer::tasks {

at::Tensor encode_titles(const Recommender& model, const data::TitleTokens& titles,
                         std::span<const std::int32_t> news) {
  const c10::NoGradGuard no_gradients;
  std::vector<at::Tensor> parts;
  for_each_title_batch(titles, news, [&](const NewsBatch& batch) {
    parts.push_back(model.encode_news(batch.token_ids, nn::Offsets(batch.token_offsets)));
  });
  return at::cat(parts);
}

}  // namespace fastformer::tasks

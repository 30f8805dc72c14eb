#include "fastformer/tasks/shown_news.h"

#include "fastformer/base/random.h"

namespace fastformer::tasks {

std::uint64_t hash_of_shown(const data::Impression& impression, const data::NewsTable& news) {
  auto hash = base::fnv1a(impression.id);
  for (const auto& candidate : impression.candidates) {
    hash = base::fnv1a(candidate.clicked() ? "+" : "-", hash);
    hash = base::fnv1a(news.id(candidate.news()), hash);
  }
  return hash;
}

}  // namespace fastformer::tasks

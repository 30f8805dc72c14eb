#include "fastformer/tasks/search_config.h"

#include <stdexcept>

namespace fastformer::tasks {

void SearchConfig::validate() const {
  if (min_tokens >= max_tokens) {
    throw std::invalid_argument("search.min_tokens = " + std::to_string(min_tokens) +
                                " must be below search.max_tokens = " + std::to_string(max_tokens));
  }
}

}  // namespace fastformer::tasks

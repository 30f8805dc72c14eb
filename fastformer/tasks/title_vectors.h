#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>

#include "fastformer/data/title_tokens.h"
#include "fastformer/tasks/recommender.h"

namespace fastformer::tasks {

/// What the model makes of the titles of these news, a row for each: [N, e], encoded a few at a
/// time and without gradients. `news` are different numbers; throws as NewsBatchBuilder does for
/// one that has no title.
at::Tensor encode_titles(const Recommender& model, const data::TitleTokens& titles,
                         std::span<const std::int32_t> news);

}  // namespace fastformer::tasks

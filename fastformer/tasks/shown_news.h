#pragma once

#include <cstdint>

#include "fastformer/data/impression_log.h"
#include "fastformer/data/news_table.h"

namespace fastformer::tasks {

/// A hash of what an impression showed, in its order, and what of it was clicked: equal where two
/// readings of a log give the same question, whatever histories and numbers of news they have.
std::uint64_t hash_of_shown(const data::Impression& impression, const data::NewsTable& news);

}  // namespace fastformer::tasks

#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "fastformer/base/random.h"
#include "fastformer/recommendation/impression_log.h"

namespace fastformer::recommendation {

/// Makes impressions for data with clicks but without other shown items: each click is combined
/// with items that the user never met, drawn uniformly without repetition.
///
///   UnmetItems unmet(items.size() - 1, config.sampled_negatives, config.sampling_seed);
///   unmet.begin_user("user 7", met);
///   log.add({.id = "1", .candidates = unmet.around(click)}, history);
///
/// The draws depend only on the seed, the user's name, and the number of earlier draws for that
/// user. The position of the click is random too, so that no order of equal scores favours it.
class UnmetItems {
 public:
  /// `items`: items have the numbers 1 .. `items`. `count`: unmet items per impression.
  UnmetItems(std::int64_t items, std::int64_t count, std::int64_t seed);

  /// `met`: all items that the user has met, in any order; numbers may be repeated.
  void begin_user(std::string_view name, std::span<const std::int32_t> met);
  /// The click together with `count` unmet items, or with all of them if there are fewer. Valid
  /// until the next call.
  std::span<const Candidate> around(std::int32_t click);

 private:
  void draw_listed();
  void draw_by_rejection();

  std::int64_t items_, count_;
  std::uint64_t seed_;
  base::Random random_{0};
  std::int64_t mark_ = 0, user_mark_ = 0;
  std::vector<std::int64_t> marks_;  ///< [items + 1]: value of mark_ when last met or drawn
  std::vector<std::int32_t> unmet_;  ///< all unmet items, if there are few
  std::int64_t unmet_count_ = 0;
  std::vector<Candidate> candidates_;
};

}  // namespace fastformer::recommendation

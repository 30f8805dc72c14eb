#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "fastformer/base/random.h"
#include "fastformer/recommendation/impression_log.h"

namespace fastformer::recommendation {

/// Makes impressions for data that contain clicks but no other shown items: each click is placed
/// among items that the user never met, drawn uniformly without repetition.
///
///   UnmetItems unmet(items.size() - 1, config.sampled_negatives, config.sampling_seed);
///   unmet.begin_user("user 7", met);
///   log.add({.id = "1", .candidates = unmet.around(click)}, history);
///
/// The draws depend on the seed, the user's name and the number of draws for that user alone. The
/// position of the click is random too, so that no order of equal scores favours it.
class UnmetItems {
 public:
  /// The items are numbered 1 .. `items`.
  UnmetItems(std::int64_t items, std::int64_t count, std::int64_t seed);

  /// `met`: items of this user; numbers may repeat.
  void begin_user(std::string_view name, std::span<const std::int32_t> met);
  /// The click and `count` items, or all items that the user never met if there are fewer. Valid
  /// until the next call.
  std::span<const Candidate> around(std::int32_t click);

 private:
  void draw_listed();
  void draw_by_rejection();

  std::int64_t items_, count_;
  std::uint64_t seed_;
  base::Random random_{0};
  std::int64_t mark_ = 0, user_mark_ = 0;
  std::vector<std::int64_t> marks_;  ///< [items + 1]: when an item was last met or drawn
  std::vector<std::int32_t> unmet_;  ///< all of them, where they are few
  std::int64_t unmet_count_ = 0;
  std::vector<Candidate> candidates_;
};

}  // namespace fastformer::recommendation

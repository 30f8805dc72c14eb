#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <set>
#include <string>
#include <vector>

#include "fastformer/cli/answers/prediction_output.h"
#include "fastformer/recommendation/recommender.h"

namespace fastformer::cli {

/// Writes the items for each user, one line (of CSV: one record) each:
///   jsonl      row, user, cold, unknown ids of the history and of the candidates, items
///   csv, tsv   user, cold, the number of unknown ids, then id, score and title of each item; csv
///              with a heading
class RecommendationOutput {
 public:
  /// `top`: the most items of a user.
  RecommendationOutput(std::ostream& out, OutputFormat format, std::size_t top)
      : out_(out), format_(format), top_(top) {}

  void write(const UserRequest& request, const Recommendations& result);

 private:
  void write_json(const UserRequest& request, const Recommendations& result);

  std::ostream& out_;
  OutputFormat format_;
  std::size_t top_;
  std::int64_t row_ = 0;
};

/// Counts what users of a file lack, for a sentence at its end.
class RequestCounts {
 public:
  void add(const UserRequest& request, const Catalogue& catalogue);

  /// Sentences for people; none where nothing is lacking. `items`: where the items are from.
  std::vector<std::string> notices(const std::string& items) const;

 private:
  std::set<std::string> some_unknown_;
  std::int64_t users_ = 0, cold_ = 0, unknown_clicks_ = 0, unknown_candidates_ = 0;
};

}  // namespace fastformer::cli

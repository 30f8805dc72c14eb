#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fastformer/recommendation/item_table.h"

namespace fastformer::recommendation {

/// A shown item and whether it was clicked, in four bytes.
class Candidate {
 public:
  Candidate() = default;
  Candidate(std::int32_t item, bool clicked) : packed_(2 * item + (clicked ? 1 : 0)) {}

  std::int32_t item() const { return packed_ / 2; }
  bool clicked() const { return packed_ % 2 == 1; }
  bool operator==(const Candidate&) const = default;

 private:
  std::int32_t packed_ = 0;
};

/// A user's earlier clicks (oldest first), the items shown, and which of these were clicked.
struct Impression {
  std::string_view id;
  std::int32_t user = 0;
  double time = 0;  ///< any unit; only the order matters
  std::span<const std::int32_t> history;
  std::span<const Candidate> candidates;
};

/// Receives an impression and the scores of its candidates.
using ScoreUse = std::function<void(const Impression& impression, std::span<const double> scores)>;

/// Statistics of a log and of problems in its source.
struct ClickCounts {
  std::int64_t users = 0;
  std::int64_t candidates = 0;
  std::int64_t clicks = 0;
  std::int64_t unknown_history = 0;     ///< clicks on items that the table lacks; ignored
  std::int64_t unknown_candidates = 0;  ///< shown items that the table lacks; they have no title
  std::int64_t empty_histories = 0;     ///< impressions without a known click in the history
  std::int64_t without_clicks =
      0;  ///< impressions without a clicked item: not usable for training or metrics
  std::int64_t without_negatives = 0;  ///< the same: every shown item was clicked
};

/// Impressions in memory: 4 bytes per shown item and per click of a history, and about 40 bytes per
/// impression. Impressions can share a history or use parts of one, which is then stored only once:
/// the 2.2 million impressions of MIND take about 0.5 GB.
///
///   ImpressionLog log;
///   const auto history = log.add_history(clicks);
///   log.add({.id = "1", .user = 0, .candidates = shown}, history);
///   log[0].history;
class ImpressionLog {
 public:
  /// The position of a history in the list of all clicks of the log.
  struct HistoryRange {
    std::int64_t first = 0;
    std::int32_t count = 0;
  };

  HistoryRange add_history(std::span<const std::int32_t> clicks);
  std::span<const std::int32_t> clicks(HistoryRange range) const {
    return std::span<const std::int32_t>(*clicks_).subspan(static_cast<std::size_t>(range.first),
                                                           static_cast<std::size_t>(range.count));
  }
  /// Adds `impression` with the given history instead of its own, and updates the counts.
  void add(const Impression& impression, HistoryRange history);

  std::int64_t size() const { return static_cast<std::int64_t>(times_.size()); }
  Impression operator[](std::int64_t i) const;

  /// False if the clicks are unknown, as in a test part without labels.
  bool labelled() const { return labelled_; }
  void set_labelled(bool labelled) { labelled_ = labelled; }

  const ClickCounts& counts() const { return counts_; }
  /// Number of impressions with both a clicked and an unclicked item; only these have an AUC.
  std::int64_t measurable() const {
    return size() - counts_.without_clicks - counts_.without_negatives;
  }
  /// Adds to counts that only the reader of a source knows.
  void count_unknown(std::int64_t history, std::int64_t candidates) {
    counts_.unknown_history += history;
    counts_.unknown_candidates += candidates;
  }

  /// An empty log whose histories are stored together with those of this log.
  ImpressionLog sibling() const;
  HistoryRange history_of(std::int64_t i) const { return histories_[static_cast<std::size_t>(i)]; }

 private:
  std::shared_ptr<std::vector<std::int32_t>> clicks_ =
      std::make_shared<std::vector<std::int32_t>>();  ///< of all histories
  std::vector<HistoryRange> histories_;
  std::vector<std::int32_t> users_;
  std::vector<bool> user_seen_;
  std::vector<Candidate> candidates_;
  std::vector<std::int64_t> candidate_offsets_ = {0};
  std::vector<double> times_;
  std::string ids_;
  std::vector<std::int64_t> id_offsets_ = {0};
  ClickCounts counts_;
  bool labelled_ = true;
};

/// The logs of the parts of one source, which share their histories.
struct LogParts {
  ImpressionLog train;
  ImpressionLog validation = train.sibling();
  ImpressionLog test = train.sibling();
};

/// Splits a log by time: the last `test_fraction` of the impressions becomes the test part, those
/// before it the validation part. Impressions with equal times stay together, so the fractions are
/// approximate. The order within a part is kept. Unknown items of `log` are counted in the training
/// part. Throws std::invalid_argument if a requested part would be empty.
LogParts split_by_time(const ImpressionLog& log, double validation_fraction, double test_fraction);

/// 1 for each clicked candidate, 0 for the others, as metrics/ranking.h expects.
std::vector<std::uint8_t> relevance_of(std::span<const Candidate> candidates);

/// Throws std::invalid_argument for a log without known clicks; `remedy` ends the message.
void check_labelled(const ImpressionLog& log, const char* remedy);

/// A hash of the shown items, in order, and of the clicks. It is equal for two readings of a log
/// that show the same candidates, even if histories and item numbers differ.
std::uint64_t hash_of_shown(const Impression& impression, const ItemTable& items);

}  // namespace fastformer::recommendation

#pragma once

#include <cstdint>
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

/// Earlier clicks of a user, oldest first, the shown items, and which of them were clicked.
struct Impression {
  std::string_view id;
  std::int32_t user = 0;
  double time = 0;  ///< only the order counts
  std::span<const std::int32_t> history;
  std::span<const Candidate> candidates;
};

/// The contents of a log and problems of its source, for reports.
struct ClickCounts {
  std::int64_t users = 0;
  std::int64_t candidates = 0;
  std::int64_t clicks = 0;
  std::int64_t unknown_history = 0;     ///< clicked items that the table lacks; ignored
  std::int64_t unknown_candidates = 0;  ///< shown items that the table lacks; they have no title
  std::int64_t empty_histories = 0;     ///< impressions of users without a known click
  std::int64_t without_clicks =
      0;  ///< impressions without a clicked item: not usable for training or metrics
  std::int64_t without_negatives = 0;  ///< the same: every shown item was clicked
};

/// Impressions in memory: 4 bytes per shown item and per click of a history, about 40 bytes per
/// impression. Impressions may share a history or use parts of one, which is then stored once: the
/// 2.2 million impressions of MIND take about 0.5 GB.
///
///   ImpressionLog log;
///   const auto history = log.add_history(clicks);
///   log.add({.id = "1", .user = 0, .candidates = shown}, history);
///   log[0].history;
class ImpressionLog {
 public:
  /// The position of a history's clicks among all clicks of the log.
  struct HistoryRange {
    std::int64_t first = 0;
    std::int32_t count = 0;
  };

  HistoryRange add_history(std::span<const std::int32_t> clicks);
  std::span<const std::int32_t> clicks(HistoryRange range) const {
    return std::span<const std::int32_t>(*clicks_).subspan(static_cast<std::size_t>(range.first),
                                                           static_cast<std::size_t>(range.count));
  }
  /// Adds `impression`, with `history` as its history, and updates the counts.
  void add(const Impression& impression, HistoryRange history);

  std::int64_t size() const { return static_cast<std::int64_t>(times_.size()); }
  Impression operator[](std::int64_t i) const;

  /// False: the clicks are unknown, as in a test part without labels.
  bool labelled() const { return labelled_; }
  void set_labelled(bool labelled) { labelled_ = labelled; }

  const ClickCounts& counts() const { return counts_; }
  /// Impressions with both a clicked and an unclicked item: only they have an AUC.
  std::int64_t measurable() const {
    return size() - counts_.without_clicks - counts_.without_negatives;
  }
  /// For counts that only the reader of a source can update.
  void count_unknown(std::int64_t history, std::int64_t candidates) {
    counts_.unknown_history += history;
    counts_.unknown_candidates += candidates;
  }

  /// An empty log that shares the clicks of this log for its histories.
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

/// Logs of the parts of one source; they share their histories.
struct LogParts {
  ImpressionLog train;
  ImpressionLog validation = train.sibling();
  ImpressionLog test = train.sibling();
};

/// The last `test_fraction` of the impressions by time become the test part, those before them the
/// validation part. Impressions with equal time stay together, so the fractions are met
/// approximately; the order within a part stays. Unknown items of `log` are counted with the
/// training part. Throws std::invalid_argument if a requested part would be empty.
LogParts split_by_time(const ImpressionLog& log, double validation_fraction, double test_fraction);

/// 1 for each clicked candidate, 0 for the others, as metrics/ranking.h expects.
std::vector<std::uint8_t> relevance_of(std::span<const Candidate> candidates);

/// Throws std::invalid_argument for a log without known clicks; `remedy` ends its sentence.
void check_labelled(const ImpressionLog& log, const char* remedy);

/// A hash of the shown items in their order and of the clicks: equal if two readings of a log show
/// the same candidates, even with different histories and item numbers.
std::uint64_t hash_of_shown(const Impression& impression, const ItemTable& items);

}  // namespace fastformer::recommendation

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fastformer/recommendation/item_table.h"

namespace fastformer::recommendation {

/// A news that was shown, and whether it was clicked, in four bytes.
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

/// What a user had clicked before, oldest first, what was shown, and what was clicked.
struct Impression {
  std::string_view id;
  std::int32_t user = 0;
  double time = 0;  ///< only the order counts
  std::span<const std::int32_t> history;
  std::span<const Candidate> candidates;
};

/// What a log holds and what was wrong with its source, for people.
struct ClickCounts {
  std::int64_t users = 0;
  std::int64_t candidates = 0;
  std::int64_t clicks = 0;
  std::int64_t unknown_history = 0;     ///< clicked news that the table lacks; they were left out
  std::int64_t unknown_candidates = 0;  ///< shown news that the table lacks; they have no title
  std::int64_t empty_histories = 0;     ///< impressions of users without a known click
  std::int64_t without_clicks = 0;      ///< impressions that teach and measure nothing
  std::int64_t without_negatives = 0;   ///< the same: all that was shown was clicked
};

/// Impressions in memory: 4 bytes for each shown news and each click of a history, about 40 for an
/// impression. Impressions may share a history or have parts of one, which is then held once: the
/// 2.2 million of MIND take about 0.5 GB.
///
///   ImpressionLog log;
///   const auto history = log.add_history(clicks);
///   log.add({.id = "1", .user = 0, .candidates = shown}, history);
///   log[0].history;
class ImpressionLog {
 public:
  /// Where the clicks of a history lie among all of the log.
  struct HistoryRange {
    std::int64_t first = 0;
    std::int32_t count = 0;
  };

  HistoryRange add_history(std::span<const std::int32_t> clicks);
  std::span<const std::int32_t> clicks(HistoryRange range) const {
    return std::span<const std::int32_t>(*clicks_).subspan(static_cast<std::size_t>(range.first),
                                                           static_cast<std::size_t>(range.count));
  }
  /// Takes all of `impression` but its history, and counts what can be told from it.
  void add(const Impression& impression, HistoryRange history);

  std::int64_t size() const { return static_cast<std::int64_t>(times_.size()); }
  Impression operator[](std::int64_t i) const;

  /// False: nobody knows the clicks, as in a blind test set.
  bool labelled() const { return labelled_; }
  void set_labelled(bool labelled) { labelled_ = labelled; }

  const ClickCounts& counts() const { return counts_; }
  /// Impressions with both a clicked and an unclicked news: only they have an AUC.
  std::int64_t measurable() const {
    return size() - counts_.without_clicks - counts_.without_negatives;
  }
  /// For what only the reader of a source knows.
  void count_unknown(std::int64_t history, std::int64_t candidates) {
    counts_.unknown_history += history;
    counts_.unknown_candidates += candidates;
  }

  /// An empty log whose histories lie among the clicks of this one.
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
/// validation part. Impressions of one time stay together, so that the fractions are met as well as
/// this allows; inside a part the order stays. The unknown news of `log` are counted with the
/// training part. Throws std::invalid_argument when a part that was asked for gets nothing.
LogParts split_by_time(const ImpressionLog& log, double validation_fraction, double test_fraction);

/// 1 for each clicked candidate, 0 for the others, as metrics/ranking.h takes them.
std::vector<std::uint8_t> relevance_of(std::span<const Candidate> candidates);

/// Throws std::invalid_argument for a log whose clicks are not known; `remedy` ends its sentence.
void check_labelled(const ImpressionLog& log, const char* remedy);

/// A hash of what an impression showed, in its order, and what of it was clicked: equal where two
/// readings of a log give the same question, whatever histories and numbers of news they have.
std::uint64_t hash_of_shown(const Impression& impression, const ItemTable& items);

}  // namespace fastformer::recommendation

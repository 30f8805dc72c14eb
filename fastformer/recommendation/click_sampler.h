#pragma once

#include <cstdint>
#include <vector>

#include "fastformer/recommendation/impression_log.h"
#include "fastformer/recommendation/item_batch.h"
#include "fastformer/recommendation/item_table.h"

namespace fastformer::recommendation {

struct ClickSamplerOptions {
  std::int64_t batch_size = 64;  ///< in clicks
  std::int64_t negatives = 4;    ///< per click
  std::uint64_t seed = 1;
};

/// The training batches of an impression log. Each click of an impression gets negatives: items
/// that the same impression showed and that were not clicked, as in NRMS (Wu et al. 2019). Each
/// click has the same number of negatives; if an impression has fewer, they are repeated.
///
///   ClickSampler sampler(dataset.parts.train, dataset.titles, {.batch_size = 64, .seed = 1});
///   sampler.begin_epoch(epoch);
///   for (std::int64_t i = 0; i < sampler.batches(); ++i) use(sampler.batch(i));
///
/// The candidates of a user are the click, then the negatives. The order of an epoch depends only
/// on the seed and the number of the epoch; the negatives of a click also depend on the click.
/// Unknown items (number 0) are not used as clicks or negatives. Log and titles must outlive the
/// sampler. Between two calls of begin_epoch(), several threads may call batch().
class ClickSampler {
 public:
  /// Throws std::invalid_argument if no click has a negative, or if a size is below 1.
  ClickSampler(const ImpressionLog& log, const TitleTokens& titles,
               const ClickSamplerOptions& options);

  std::int64_t clicks() const { return static_cast<std::int64_t>(clicks_.size()); }
  /// Number of skipped clicks: on an unknown item, or without a known item as a negative.
  std::int64_t skipped() const { return skipped_; }
  std::int64_t batches() const;

  void begin_epoch(std::int64_t epoch);
  /// Throws std::out_of_range for a batch that the epoch does not have.
  ItemBatch batch(std::int64_t index) const;

 private:
  struct Click {
    std::int32_t impression = 0, candidate = 0;
  };
  std::vector<std::int32_t> draw(const Click& click) const;

  const ImpressionLog& log_;
  const TitleTokens& titles_;
  ClickSamplerOptions options_;
  std::vector<Click> clicks_;        ///< in the order of the log
  std::vector<std::int32_t> order_;  ///< of this epoch
  std::uint64_t epoch_seed_ = 0;
  std::int64_t skipped_ = 0;
};

}  // namespace fastformer::recommendation

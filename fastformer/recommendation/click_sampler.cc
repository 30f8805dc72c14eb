#include "fastformer/recommendation/click_sampler.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>

#include "fastformer/base/random.h"
#include "fastformer/recommendation/item_table.h"

namespace fastformer::recommendation {
namespace {

bool known(const Candidate& candidate) { return candidate.item() != ItemTable::kUnknown; }

bool is_negative(const Candidate& candidate) { return known(candidate) && !candidate.clicked(); }

}  // namespace

ClickSampler::ClickSampler(const ImpressionLog& log, const TitleTokens& titles,
                           const ClickSamplerOptions& options)
    : log_(log), titles_(titles), options_(options) {
  if (options.batch_size < 1 || options.negatives < 1) {
    throw std::invalid_argument("a batch of " + std::to_string(options.batch_size) +
                                " clicks with " + std::to_string(options.negatives) +
                                " negatives each is impossible; both must be at least 1");
  }
  for (std::int64_t i = 0; i < log.size(); ++i) {
    const auto candidates = log[i].candidates;
    const bool any = std::any_of(candidates.begin(), candidates.end(), is_negative);
    for (std::size_t c = 0; c < candidates.size(); ++c) {
      if (!candidates[c].clicked()) continue;
      if (any && known(candidates[c])) {
        clicks_.push_back({static_cast<std::int32_t>(i), static_cast<std::int32_t>(c)});
      } else {
        ++skipped_;
      }
    }
  }
  if (clicks_.empty()) {
    throw std::invalid_argument("none of the " + std::to_string(log.size()) +
                                " training impressions has a click on a known item and a known "
                                "unclicked item; check that the items belong to the impressions");
  }
  begin_epoch(0);
}

std::int64_t ClickSampler::batches() const {
  return (clicks() + options_.batch_size - 1) / options_.batch_size;
}

void ClickSampler::begin_epoch(std::int64_t epoch) {
  epoch_seed_ = base::mix64(options_.seed) + static_cast<std::uint64_t>(epoch);
  order_.resize(clicks_.size());
  std::iota(order_.begin(), order_.end(), 0);
  base::Random(epoch_seed_).shuffle(order_);
}

// The click, then its negatives.
std::vector<std::int32_t> ClickSampler::draw(const Click& click) const {
  const auto candidates = log_[click.impression].candidates;
  std::vector<std::int32_t> negatives;
  for (const auto& candidate : candidates) {
    if (is_negative(candidate)) negatives.push_back(candidate.item());
  }
  const auto key = (static_cast<std::uint64_t>(click.impression) << 32) |
                   static_cast<std::uint64_t>(click.candidate);
  base::Random random(base::mix64(epoch_seed_) ^ base::mix64(key + 1));
  const auto count = negatives.size(), wanted = static_cast<std::size_t>(options_.negatives);
  std::vector<std::int32_t> result = {candidates[static_cast<std::size_t>(click.candidate)].item()};
  for (std::size_t i = 0; i < wanted; ++i) {
    // A new round begins when all were taken once.
    const auto at = i % count;
    std::swap(negatives[at], negatives[at + random.below(count - at)]);
    result.push_back(negatives[at]);
  }
  return result;
}

ItemBatch ClickSampler::batch(std::int64_t index) const {
  if (index < 0 || index >= batches()) {
    throw std::out_of_range("the epoch has " + std::to_string(batches()) +
                            " batches, so there is no batch with the number " +
                            std::to_string(index));
  }
  const auto first = index * options_.batch_size;
  const auto last = std::min(first + options_.batch_size, clicks());
  ItemBatchBuilder builder(titles_);
  for (auto i = first; i < last; ++i) {
    const auto& click = clicks_[static_cast<std::size_t>(order_[static_cast<std::size_t>(i)])];
    builder.add(log_[click.impression].history, draw(click));
  }
  return builder.take();
}

}  // namespace fastformer::recommendation

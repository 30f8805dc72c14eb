#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "fastformer/text/ngrams.h"
#include "fastformer/text/rouge_words.h"

namespace fastformer::text {

/// What the n-grams of a summary are like, for one n; both shares are 0 where there are none.
struct NgramShares {
  std::size_t total = 0;
  double novel = 0;     ///< of the different n-grams, the share that the document does not have
  double repeated = 0;  ///< of all n-grams, the share that has occurred before in the summary
};

struct SummaryStatistics {
  std::size_t document_words = 0, summary_words = 0;
  std::array<NgramShares, kLongestNgram> ngrams;  ///< n = 1, 2, 3, 4
};

/// How much a summary copies and how much it repeats itself: novel n-grams as Fabbri et al. 2021
/// ("SummEval") count them, repetition as Welleck et al. 2020 ("Neural text generation with
/// unlikelihood training", seq-rep-n). Words are those of RougeWords, without stems.
///
///   SummaryMeter meter;
///   meter.measure(document, summary).ngrams[1].novel;  // share of new pairs of words
///
/// An object belongs to one thread.
class SummaryMeter {
 public:
  SummaryStatistics measure(std::string_view document, std::string_view summary);

 private:
  RougeWords words_;
};

}  // namespace fastformer::text

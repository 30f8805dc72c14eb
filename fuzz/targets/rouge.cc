#include "fastformer/metrics/rouge/rouge.h"

#include "fastformer/metrics/rouge/extractive.h"
#include "fastformer/text/sentences.h"
#include "target.h"

namespace fastformer::fuzz {

// Two texts of half of the input each.
void run(std::string_view bytes) {
  const auto first = bytes.substr(0, bytes.size() / 2), second = bytes.substr(bytes.size() / 2);
  for (const bool stem : {false, true}) {
    metrics::RougeScorer scorer(stem);
    const auto scores = scorer.score(first, second), swapped = scorer.score(second, first);
    for (const auto& score : {scores.rouge1, scores.rouge2, scores.rouge_l, scores.rouge_lsum}) {
      check(score.f >= 0 && score.f <= 1 && score.precision <= 1 && score.recall <= 1,
            "a score is in [0, 1]");
    }
    check(scores.rouge1.f == swapped.rouge1.f && scores.rouge_l.f == swapped.rouge_l.f,
          "precision and recall change places with the texts");
    check(scorer.score(first, first).rouge_lsum.f == scores.rouge1.f || first != second,
          "equal texts have equal scores");
  }
  constexpr std::size_t kMostSentences = 50;
  auto sentences = text::split_sentences(first);
  sentences.resize(std::min(sentences.size(), kMostSentences));
  for (const auto sentence : metrics::ExtractiveOracle().choose(sentences, second, 3)) {
    check(sentence < sentences.size(), "a chosen sentence exists");
  }
  for (const auto& shares : metrics::SummaryMeter().measure(first, second).ngrams) {
    check(shares.novel >= 0 && shares.novel <= 1 && shares.repeated >= 0 && shares.repeated < 1,
          "shares are in [0, 1]");
  }
}

}  // namespace fastformer::fuzz

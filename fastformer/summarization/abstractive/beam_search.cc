#include "fastformer/summarization/abstractive/beam_search.h"

#include <ATen/Dispatch.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <utility>

#include "fastformer/kernels/parallel.h"
#include "fastformer/summarization/abstractive/search.h"

namespace fastformer::summarization {
namespace {

struct Candidate {
  double log_probability;
  std::int64_t parent;  // a row of the step
  std::int32_t token;

  // Better ones first; ties in a fixed order.
  friend bool operator<(const Candidate& a, const Candidate& b) {
    return std::tie(b.log_probability, a.parent, a.token) <
           std::tie(a.log_probability, b.parent, b.token);
  }
};

struct Hypothesis {
  std::vector<std::int32_t> tokens;  // with the one that begins the text
  double log_probability;
};

// The best `count` continuations of the rows first .. last - 1, best first.
template <class Real>
std::vector<Candidate> best_candidates(const Real* log_p, std::int64_t vocabulary,
                                       const std::vector<Hypothesis>& beams, std::int64_t first,
                                       std::size_t count) {
  std::vector<Candidate> best;  // a heap with the worst in front
  for (std::size_t i = 0; i < beams.size(); ++i) {
    const auto row = first + static_cast<std::int64_t>(i);
    const auto* values = log_p + row * vocabulary;
    for (std::int32_t token = 0; token < vocabulary; ++token) {
      const auto sum = beams[i].log_probability + static_cast<double>(values[token]);
      if (!std::isfinite(sum)) continue;
      if (best.size() == count) {
        if (sum <= best.front().log_probability) continue;
        std::pop_heap(best.begin(), best.end());
        best.pop_back();
      }
      best.push_back({sum, row, token});
      std::push_heap(best.begin(), best.end());
    }
  }
  std::sort_heap(best.begin(), best.end());
  return best;
}

// The search for one document.
class Beam {
 public:
  Beam(const SearchConfig& config, const SearchTokens& tokens)
      : config_(config), end_(tokens.end), running_({{{tokens.begin}, 0}}) {}

  const std::vector<Hypothesis>& running() const { return running_; }
  /// The row of this step that each unfinished text continues.
  const std::vector<std::int64_t>& parents() const { return parents_; }
  std::vector<WrittenText> take_finished() { return std::move(finished_); }

  /// `first`: the row of the first unfinished text.
  void advance(const std::vector<Candidate>& candidates, std::int64_t first) {
    const auto before = std::move(running_);
    running_.clear();
    parents_.clear();
    const auto beams = static_cast<std::size_t>(config_.beams);
    const auto length = static_cast<std::int64_t>(before.front().tokens.size());
    for (std::size_t rank = 0; rank < candidates.size(); ++rank) {
      const auto& [log_probability, parent, token] = candidates[rank];
      const bool ends = token == end_;
      if (!ends && length < config_.max_tokens && running_.size() == beams) continue;
      Hypothesis text{before[parent - first].tokens, log_probability};
      if (!ends) text.tokens.push_back(token);
      if (ends || length == config_.max_tokens) {
        if (rank < beams) finish(std::move(text), length, ends);
      } else {
        running_.push_back(std::move(text));
        parents_.push_back(parent);
      }
    }
    if (candidates.empty() && finished_.empty()) give_up(before);
    if (cannot_improve(length)) {
      running_.clear();
      parents_.clear();
    }
  }

 private:
  double score(double log_probability, std::int64_t length) const {
    return log_probability / std::pow(static_cast<double>(length), config_.length_penalty);
  }

  void finish(Hypothesis text, std::int64_t length, bool ended) {
    text.tokens.erase(text.tokens.begin());
    WrittenText written{std::move(text.tokens), text.log_probability,
                        score(text.log_probability, length), ended};
    const auto place = std::upper_bound(
        finished_.begin(), finished_.end(), written.score,
        [](double value, const WrittenText& other) { return value > other.score; });
    finished_.insert(place, std::move(written));
    if (finished_.size() > static_cast<std::size_t>(config_.beams)) finished_.pop_back();
  }

  // No token may follow any of the texts.
  void give_up(const std::vector<Hypothesis>& before) {
    for (const auto& text : before) {
      const auto length = static_cast<std::int64_t>(text.tokens.size()) - 1;
      if (length > 0) finish(text, length, false);
    }
  }

  // The unfinished texts have `length` tokens.
  bool cannot_improve(std::int64_t length) const {
    if (running_.empty()) return true;
    if (finished_.size() < static_cast<std::size_t>(config_.beams)) return false;
    const auto best_length = config_.length_penalty > 0 ? config_.max_tokens : length;
    return score(running_.front().log_probability, best_length) <= finished_.back().score;
  }

  const SearchConfig& config_;
  std::int32_t end_;
  std::vector<Hypothesis> running_;  // the likeliest first
  std::vector<std::int64_t> parents_;
  std::vector<WrittenText> finished_;  // the best first
};

class BeamSearch {
 public:
  BeamSearch(SequenceModel& model, const SearchTokens& tokens, const SearchConfig& config)
      : model_(model),
        config_(config),
        rules_(config, tokens),
        beams_(static_cast<std::size_t>(model.documents()), Beam(config, tokens)) {}

  std::vector<std::vector<WrittenText>> run() {
    while (step()) {
    }
    std::vector<std::vector<WrittenText>> texts;
    for (auto& beam : beams_) texts.push_back(beam.take_finished());
    return texts;
  }

 private:
  // False if no text is unfinished.
  bool step() {
    std::vector<std::int32_t> last;
    std::vector<const std::vector<std::int32_t>*> texts;
    std::vector<std::int64_t> firsts;
    for (const auto& beam : beams_) {
      firsts.push_back(static_cast<std::int64_t>(last.size()));
      for (const auto& text : beam.running()) {
        texts.push_back(&text.tokens);
        last.push_back(text.tokens.back());
      }
    }
    if (last.empty()) return false;
    const auto log_p = model_.step(last).contiguous();
    rules_.apply(texts, log_p);
    advance(log_p, firsts);
    std::vector<std::int64_t> parents;
    for (const auto& beam : beams_) {
      parents.insert(parents.end(), beam.parents().begin(), beam.parents().end());
    }
    if (!parents.empty()) model_.select(parents);
    return !parents.empty();
  }

  void advance(const at::Tensor& log_p, const std::vector<std::int64_t>& firsts) {
    const auto count = 2 * static_cast<std::size_t>(config_.beams);
    AT_DISPATCH_FLOATING_TYPES(log_p.scalar_type(), "beam_search", [&] {
      const auto* values = log_p.const_data_ptr<scalar_t>();
      const auto documents = static_cast<std::int64_t>(beams_.size());
      kernels::parallel_for(0, documents, 1, [&](std::int64_t begin, std::int64_t end) {
        for (auto b = begin; b < end; ++b) {
          auto& beam = beams_[b];
          if (beam.running().empty()) continue;
          beam.advance(best_candidates(values, log_p.size(1), beam.running(), firsts[b], count),
                       firsts[b]);
        }
      });
    });
  }

  SequenceModel& model_;
  const SearchConfig& config_;
  TokenRules rules_;
  std::vector<Beam> beams_;
};

}  // namespace

std::vector<std::vector<WrittenText>> beam_search(SequenceModel& model, const SearchTokens& tokens,
                                                  const SearchConfig& config) {
  return BeamSearch(model, tokens, config).run();
}

}  // namespace fastformer::summarization

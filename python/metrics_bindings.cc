// ROUGE and ranking metrics, used by fastformer/rouge.py and fastformer/ranking.py.
#include "metrics_bindings.h"

#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "arrays.h"
#include "fastformer/kernels/parallel.h"
#include "fastformer/metrics/ranking.h"
#include "fastformer/metrics/rouge/rouge.h"

namespace fastformer::python {
namespace {

using Texts = std::vector<std::string>;
template <class T>
using List = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

template <class T>
std::span<const T> span_of(const List<T>& list) {
  return {list.data(), list.shape(0)};
}

// [pairs, 12]: precision, recall and F of ROUGE-1, -2, -L and -Lsum.
std::vector<double> rouge(const Texts& references, const Texts& candidates, bool stem,
                          metrics::RougeTokens tokens, int threads) {
  constexpr std::int64_t kColumns = 12, kPiecesPerThread = 4;
  const kernels::ComputeScope scope(kernels::Precision::kFp32, threads);
  const auto pairs = std::ssize(references);
  const auto pieces = std::min<std::int64_t>(pairs, kPiecesPerThread * kernels::thread_count());
  std::vector<double> values(static_cast<std::size_t>(pairs * kColumns));
  kernels::share_items(pieces, [&](std::int64_t piece) {
    metrics::RougeScorer scorer(stem, tokens);
    for (auto i = pairs * piece / pieces; i < pairs * (piece + 1) / pieces; ++i) {
      auto* row = &values[static_cast<std::size_t>(i * kColumns)];
      const auto pair = static_cast<std::size_t>(i);
      metrics::RougeScores scores;
      try {
        scores = scorer.score(candidates[pair], references[pair]);
      } catch (const std::invalid_argument& error) {
        throw std::invalid_argument("pair " + std::to_string(i) + ": " + error.what());
      }
      for (const auto& score : {scores.rouge1, scores.rouge2, scores.rouge_l, scores.rouge_lsum}) {
        *row++ = score.precision;
        *row++ = score.recall;
        *row++ = score.f;
      }
    }
  });
  return values;
}

// [impressions, metrics]; NaN for an impression without clicks, or with only clicks.
std::vector<double> rank(std::span<const std::uint8_t> relevant, std::span<const double> scores,
                         std::span<const std::int64_t> offsets) {
  const auto columns = metrics::ranking_metrics().size();
  const bool fits =
      !offsets.empty() && offsets.front() == 0 && std::is_sorted(offsets.begin(), offsets.end()) &&
      std::cmp_equal(offsets.back(), relevant.size()) && relevant.size() == scores.size();
  if (!fits) throw std::invalid_argument("the offsets do not fit the candidates");
  std::vector<double> values;
  for (std::size_t i = 0; i + 1 < offsets.size(); ++i) {
    const auto first = static_cast<std::size_t>(offsets[i]);
    const auto count = static_cast<std::size_t>(offsets[i + 1]) - first;
    const auto clicks = relevant.subspan(first, count);
    if (metrics::measurable(clicks)) {
      const auto row = metrics::score_ranking(clicks, scores.subspan(first, count));
      values.insert(values.end(), row.begin(), row.end());
    } else {
      values.insert(values.end(), columns, std::numeric_limits<double>::quiet_NaN());
    }
  }
  return values;
}

}  // namespace

void bind_metrics(nb::module_& module) {
  module.def(
      "rouge",
      [](const Texts& references, const Texts& candidates, bool stem, const std::string& tokens,
         int threads) {
        std::vector<double> values;
        {
          const nb::gil_scoped_release released;
          values = rouge(references, candidates, stem,
                         base::parse_word<metrics::RougeTokens>(tokens, "tokenizer"), threads);
        }
        return array_of(std::move(values), 12);
      },
      nb::arg("references"), nb::arg("candidates"), nb::arg("stem"), nb::arg("tokens"),
      nb::arg("threads"));
  module.def("ranking_metrics", [] {
    std::vector<std::string> names;
    for (const auto& metric : metrics::ranking_metrics()) names.push_back(metric.name);
    return names;
  });
  module.def(
      "rank",
      [](const List<std::uint8_t>& relevant, const List<double>& scores,
         const List<std::int64_t>& offsets) {
        std::vector<double> values;
        {
          const nb::gil_scoped_release released;
          values = rank(span_of(relevant), span_of(scores), span_of(offsets));
        }
        return array_of(std::move(values), metrics::ranking_metrics().size());
      },
      nb::arg("relevant"), nb::arg("scores"), nb::arg("offsets"));
}

}  // namespace fastformer::python

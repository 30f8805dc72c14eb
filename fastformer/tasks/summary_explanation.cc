#include "fastformer/tasks/summary_explanation.h"

#include <algorithm>
#include <numeric>

namespace fastformer::tasks {
namespace {

// Of equally heavy positions the first.
std::vector<TokenExplanation::Source> heaviest(std::span<const double> weights, std::size_t count) {
  std::vector<std::int64_t> order(weights.size());
  std::iota(order.begin(), order.end(), 0);
  const auto kept = order.begin() + static_cast<std::ptrdiff_t>(std::min(count, weights.size()));
  std::partial_sort(order.begin(), kept, order.end(), [&](auto a, auto b) {
    return weights[a] != weights[b] ? weights[a] > weights[b] : a < b;
  });
  std::vector<TokenExplanation::Source> sources;
  for (auto at = order.begin(); at != kept; ++at) sources.push_back({*at, weights[*at]});
  return sources;
}

}  // namespace

std::vector<TokenExplanation> explain_summary(const Summarizer& model,
                                              std::span<const std::int32_t> ids,
                                              std::span<const std::int32_t> tokens,
                                              std::size_t sources) {
  std::vector<TokenExplanation> result;
  if (tokens.empty()) return result;
  const auto trace = model.trace(ids, tokens);
  const auto weights = trace.weights.to(at::kDouble).contiguous();
  for (std::size_t t = 0; t < tokens.size(); ++t) {
    const std::span row(weights.const_data_ptr<double>() + t * ids.size(), ids.size());
    std::optional<double> copied;
    if (trace.gates.defined()) {
      copied = 1 - trace.gates[static_cast<std::int64_t>(t)].item<double>();
    }
    result.push_back({tokens[t], copied, heaviest(row, sources)});
  }
  return result;
}

}  // namespace fastformer::tasks

#include "fastformer/cli/answers/explanation_text.h"

#include <algorithm>
#include <numeric>

#include "fastformer/base/format.h"
#include "fastformer/base/printable.h"
#include "fastformer/text/display_width.h"

namespace fastformer::cli {
namespace {

constexpr std::size_t kHeaviest = 5;

// 256-colour codes from plain to strong.
std::string colored(const std::string& token, double relative) {
  if (relative < 0.25) return token;
  const int code = relative < 0.5 ? 229 : relative < 0.75 ? 220 : 208;
  return base::format("\x1b[48;5;%dm\x1b[30m%s\x1b[0m", code, token.c_str());
}

std::vector<std::size_t> by_weight(const std::vector<double>& weights) {
  std::vector<std::size_t> order(weights.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](auto a, auto b) { return weights[a] > weights[b]; });
  order.resize(std::min(order.size(), kHeaviest));
  return order;
}

double at_or_zero(const std::vector<double>& values, std::size_t i) {
  return i < values.size() ? values[i] : 0;
}

}  // namespace

std::string explanation_text(const Explanation& explanation, bool color) {
  const auto& weights = explanation.pooling_weights;
  const double most = weights.empty() ? 1 : *std::max_element(weights.begin(), weights.end());
  std::string text = "  ";
  for (std::size_t i = 0; i < explanation.tokens.size(); ++i) {
    const auto token = color ? base::printable(explanation.tokens[i]) : explanation.tokens[i];
    text += (color ? colored(token, weights[i] / most) : token) + " ";
  }
  text += base::format("\n  %-20s %8s", "token", "pooling");
  for (std::size_t layer = 1; layer <= explanation.layers.size(); ++layer) {
    text += base::format("   alpha %-2zu   beta %-2zu ", layer, layer);
  }
  for (const auto i : by_weight(weights)) {
    const auto token = color ? base::printable(explanation.tokens[i]) : explanation.tokens[i];
    text += "\n  " + text::padded(token, 20) + base::format(" %8.4f", weights[i]);
    for (const auto& layer : explanation.layers) {
      text += base::format("  %8.4f  %8.4f", at_or_zero(layer.query_weights, i),
                           at_or_zero(layer.key_weights, i));
    }
  }
  return text + "\n";
}

std::string ngrams_text(const std::string& title,
                        const std::vector<std::pair<std::string, double>>& ngrams) {
  if (ngrams.empty()) return {};
  std::string text = "  " + title + ":";
  for (std::size_t i = 0; i < std::min(ngrams.size(), kHeaviest); ++i) {
    text += base::format(" %s %+.3f", ngrams[i].first.c_str(), ngrams[i].second);
  }
  return text + "\n";
}

}  // namespace fastformer::cli

#include "fastformer/cli/summary_explanation_text.h"

#include <nlohmann/json.hpp>

#include "fastformer/base/format.h"

namespace fastformer::cli {

std::string explanation_text(const std::vector<tasks::TokenExplanation>& explanation,
                             const SummarySpelling& spelling) {
  if (explanation.empty()) return {};
  auto text = base::format("  %-20s%s   looked at\n", "token",
                           explanation.front().copied ? "   copied" : "");
  for (const auto& written : explanation) {
    text += base::format("  %-20s", spelling.tokenizer.token(written.token).c_str());
    if (written.copied) text += base::format(" %8.4f", *written.copied);
    for (const auto& [position, weight] : written.sources) {
      text += base::format("   %.4f %s [%lld]", weight, spelling.document[position].c_str(),
                           static_cast<long long>(position));
    }
    text += '\n';
  }
  return text;
}

nlohmann::ordered_json explanation_json(const std::vector<tasks::TokenExplanation>& explanation,
                                        const SummarySpelling& spelling) {
  auto tokens = nlohmann::ordered_json::array();
  for (const auto& written : explanation) {
    nlohmann::ordered_json token = {{"token", spelling.tokenizer.token(written.token)}};
    if (written.copied) token["copied"] = *written.copied;
    token["sources"] = nlohmann::ordered_json::array();
    for (const auto& [position, weight] : written.sources) {
      token["sources"].push_back(
          {{"token", spelling.document[position]}, {"position", position}, {"weight", weight}});
    }
    tokens.push_back(std::move(token));
  }
  return tokens;
}

}  // namespace fastformer::cli

#include "fastformer/tasks/summary_writer.h"

#include <algorithm>
#include <utility>

#include "fastformer/tasks/beam_search.h"
#include "fastformer/tasks/token_sampling.h"

namespace fastformer::tasks {

std::vector<std::vector<WrittenText>> summarize(const Summarizer& model,
                                                std::span<const std::int32_t> ids,
                                                const nn::Offsets& offsets, SearchConfig config,
                                                SummaryOptions options) {
  const auto positions = model.config().target_positions;
  if (positions > 0) config.max_tokens = std::min(config.max_tokens, positions);
  options.banned.push_back(model.vocabulary().begin);
  const SearchTokens tokens{model.vocabulary().begin, model.vocabulary().end,
                            std::move(options.banned)};
  SummaryWriter writer(model, ids, offsets);
  if (config.method == "beam") return beam_search(writer, tokens, config);
  auto texts = config.method == "greedy"
                   ? write_greedily(writer, tokens, config, options.sink)
                   : sample_texts(writer, tokens, config, options.numbers, options.sink);
  std::vector<std::vector<WrittenText>> result;
  for (auto& text : texts) result.push_back({std::move(text)});
  return result;
}

}  // namespace fastformer::tasks

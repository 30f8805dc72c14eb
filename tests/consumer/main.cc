// Uses the installed rooms as a stranger would: headers by their public path, nothing from the
// source tree.
#include <cstdint>
#include <functional>
#include <iostream>
#include <string_view>
#include <vector>

#include "fastformer/text/tokenizer.h"
#include "fastformer/text/tokenizer_config.h"
#ifdef CONSUMER_HAS_TASKS
#include <ATen/ATen.h>

#include "fastformer/tasks/metrics.h"
#endif

namespace {

bool encodes_text() {
  fastformer::text::TokenizerConfig config;
  config.minimum_count = 1;
  const auto tokenizer = fastformer::text::make_tokenizer(
      config, [](const std::function<void(std::string_view)>& visit) { visit("oil prices fall"); });
  std::vector<std::int32_t> ids;
  tokenizer->encode("prices fall", ids);
  return ids.size() >= 2 && tokenizer->vocabulary_size() > 3;
}

#ifdef CONSUMER_HAS_TASKS
bool counts_predictions() {
  fastformer::tasks::ConfusionMatrix confusion(2);
  confusion.add(1, 1);
  return confusion.accuracy() == 1.0 && at::ones({3}).sum().item<float>() == 3.0f;
}
#else
bool counts_predictions() { return true; }
#endif

}  // namespace

int main() {
  const bool works = encodes_text() && counts_predictions();
  std::cout << (works ? "consumer: works\n" : "consumer: wrong result\n");
  return works ? 0 : 1;
}

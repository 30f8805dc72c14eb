#include "fastformer/nn/parameter_count.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace fastformer::nn {
namespace {

constexpr std::array<std::string_view, 3> kTables = {"embedding.", "target_embedding.",
                                                     "pretrained.embeddings."};

}  // namespace

ParameterCount count_of(const ParameterMap& parameters) {
  ParameterCount count;
  for (const auto& [name, weight] : parameters) {
    const bool table = std::any_of(kTables.begin(), kTables.end(),
                                   [&](auto prefix) { return name.starts_with(prefix); });
    count.all += weight.numel();
    if (!table) count.outside_tables += weight.numel();
  }
  return count;
}

}  // namespace fastformer::nn

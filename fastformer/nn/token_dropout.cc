#include "fastformer/nn/token_dropout.h"

namespace fastformer::nn {

KeptTokens drop_tokens(const at::Tensor& x, const Offsets& offsets, double rate) {
  const auto draws = at::rand({offsets.total()}, at::kDouble);
  const auto* draw = draws.const_data_ptr<double>();
  std::vector<std::int64_t> kept;
  KeptTokens result;
  result.offsets.push_back(0);
  for (std::int64_t b = 0; b < offsets.size(); ++b) {
    const auto first = offsets.begin_of(b), end = first + offsets.length(b);
    const auto before = kept.size();
    for (std::int64_t i = first; i < end; ++i) {
      if (draw[i] >= rate) kept.push_back(i);
    }
    if (kept.size() == before && first < end) kept.push_back(first);
    result.offsets.push_back(static_cast<std::int64_t>(kept.size()));
  }
  result.rows = x.index_select(0, at::tensor(kept, at::kLong));
  return result;
}

}  // namespace fastformer::nn

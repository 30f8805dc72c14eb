#include "fastformer/nn/mixers/sliding_window_attention.h"

#include <algorithm>
#include <vector>

#include "fastformer/nn/mixers/row_attention.h"

namespace fastformer::nn {

void SlidingWindowFields::visit_fields(base::FieldVisitor& visit) {
  visit("window", window, "window: number of neighbouring tokens to attend to, half on each side",
        base::between(0, 1 << 20));
  visit("global_tokens", global_tokens,
        "number of first tokens that attend to all tokens, and to which all tokens attend",
        base::between(0, 1 << 20));
}

SlidingWindowAttention::SlidingWindowAttention(const model::MixerShape& shape,
                                               const SlidingWindowFields& fields,
                                               ParameterStore& store, const std::string& name)
    : width_(shape.width),
      heads_(shape.heads),
      reach_(fields.window / 2),
      global_tokens_(fields.global_tokens) {
  const auto layer = [&](const char* parameter) {
    return Linear(store, name + "." + parameter, width_, width_);
  };
  query_ = layer("query");
  key_ = layer("key");
  value_ = layer("value");
  if (global_tokens_ > 0) {
    global_query_ = layer("global_query");
    global_key_ = layer("global_key");
    global_value_ = layer("global_value");
  }
  if (shape.output_projection) output_ = layer("output");
}

// y with the rows of the global tokens replaced by their global attention.
at::Tensor SlidingWindowAttention::with_global_rows(const at::Tensor& y, const at::Tensor& x,
                                                    const Offsets& offsets) const {
  std::vector<std::int64_t> rows, starts = {0};
  for (std::int64_t b = 0; b < offsets.size(); ++b) {
    for (std::int64_t i = 0; i < std::min(global_tokens_, offsets.length(b)); ++i) {
      rows.push_back(offsets.begin_of(b) + i);
    }
    starts.push_back(static_cast<std::int64_t>(rows.size()));
  }
  const auto places = at::tensor(rows, at::kLong);
  const auto query = global_query_.forward(x.index_select(0, places));
  const auto parts = project(x, {global_key_, global_value_});
  const auto global =
      attend_rows(query, parts[0], parts[1], heads_, Offsets(starts), offsets, RowBand{});
  return y.index_copy(0, places, global);
}

at::Tensor SlidingWindowAttention::forward(const at::Tensor& x, const Offsets& offsets,
                                           MixerTrace* /*trace*/) const {
  check_rows(x, offsets);
  const auto parts = project(x, {query_, key_, value_});
  auto y = attend_rows(parts[0], parts[1], parts[2], heads_, offsets, offsets,
                       {.behind = reach_, .ahead = reach_, .leading = global_tokens_});
  if (global_tokens_ > 0) y = with_global_rows(y, x, offsets);
  return output_ ? output_.forward(y) : y;
}

double SlidingWindowAttention::multiply_adds(std::int64_t tokens) const {
  const auto n = static_cast<double>(tokens), d = static_cast<double>(width_);
  const auto global = static_cast<double>(std::min(global_tokens_, tokens));
  const double attended = std::min(n, 2.0 * static_cast<double>(reach_) + 1 + global);
  const double projections = (global > 0 ? 5 : 3) + (output_ ? 1 : 0);
  return n * d * (projections * d + 2 * attended) + global * d * (d + 2 * n);
}

}  // namespace fastformer::nn

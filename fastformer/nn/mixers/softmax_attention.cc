#include "fastformer/nn/mixers/softmax_attention.h"

#include "fastformer/nn/mixers/row_attention.h"

namespace fastformer::nn {

void SoftmaxFields::visit_fields(base::FieldVisitor& visit) {
  visit("causal", causal, "causal: a token attends only to itself and earlier tokens");
}

SoftmaxAttention::SoftmaxAttention(const model::MixerShape& shape, const SoftmaxFields& fields,
                                   ParameterStore& store, const std::string& name)
    : width_(shape.width),
      heads_(shape.heads),
      causal_(fields.causal),
      query_(store, name + ".query", width_, width_),
      key_(store, name + ".key", width_, width_),
      value_(store, name + ".value", width_, width_) {
  if (shape.output_projection) output_ = Linear(store, name + ".output", width_, width_);
}

at::Tensor SoftmaxAttention::forward(const at::Tensor& x, const Offsets& offsets,
                                     MixerTrace* /*trace*/) const {
  check_rows(x, offsets);
  const auto parts = project(x, {query_, key_, value_});
  RowBand band;
  if (causal_) band.ahead = 0;
  const auto y = attend_rows(parts[0], parts[1], parts[2], heads_, offsets, offsets, band);
  return output_ ? output_.forward(y) : y;
}

double SoftmaxAttention::multiply_adds(std::int64_t tokens) const {
  const auto n = static_cast<double>(tokens), d = static_cast<double>(width_);
  const double attended = causal_ ? (n + 1) / 2 : n;
  return n * d * ((output_ ? 4 : 3) * d + 2 * attended);
}

}  // namespace fastformer::nn

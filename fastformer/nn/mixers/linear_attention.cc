#include "fastformer/nn/mixers/linear_attention.h"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <vector>

#include "fastformer/kernels/linear_attention.h"
#include "fastformer/kernels/row_blocks.h"

namespace fastformer::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// 512 rows of 256 floats are 512 KiB of each operand: their state of 17 KiB is small in comparison,
// and a sequence of 1,000 tokens has work for two cores.
constexpr std::int64_t kRowsOfState = 512;

// The rows of a batch in blocks for the kernels.
template <class Real>
class LinearBatch {
 public:
  LinearBatch(const variable_list& rows, std::int64_t heads,
              const std::vector<std::int64_t>& offsets)
      : blocks(kernels::sequence_blocks(offsets, kRowsOfState)),
        any_parts(!kernels::all_whole(blocks)),
        width(rows[0].size(1)),
        state_size(kernels::linear_attention_state_size(heads, width / heads)),
        heads_(heads),
        query_(rows[0].const_data_ptr<Real>()),
        key_(rows[1].const_data_ptr<Real>()),
        value_(rows[2].const_data_ptr<Real>()) {}

  kernels::LinearAttentionShape shape(const kernels::SequenceBlock& block) const {
    return {block.rows, heads_, width / heads_, width, width};
  }
  kernels::LinearAttentionInput<Real> in(const kernels::SequenceBlock& block) const {
    const auto at = block.first * width;
    return {query_ + at, key_ + at, value_ + at};
  }
  // The scratch of the kernels, a state, and the factors of the rows of a block.
  Real* scratch() const {
    return kernels::scratch_of<Real>(scratch_size() + state_size + 2 * heads_ * kRowsOfState);
  }
  Real* scratch_state(Real* scratch) const { return scratch + scratch_size(); }
  Real* scratch_factors(Real* scratch) const { return scratch_state(scratch) + state_size; }

  // body(index, block, scratch) for the blocks that are whole sequences, or for all others.
  template <class Body>
  void for_each(bool whole, const Body& body) const {
    if (!whole && !any_parts) return;
    kernels::for_each_block(blocks, [&](std::int64_t index, const kernels::SequenceBlock& block) {
      if (block.whole == whole) body(index, block, scratch());
    });
  }

  const std::vector<kernels::SequenceBlock> blocks;
  const bool any_parts;
  const std::int64_t width, state_size;

 private:
  std::int64_t scratch_size() const {
    return kernels::linear_attention_scratch_size(heads_, width / heads_);
  }

  std::int64_t heads_;
  const Real *query_, *key_, *value_;
};

// States of blocks that are parts of a sequence, one per block, all zero; none if all are whole.
template <class Real>
std::vector<Real> part_states(const LinearBatch<Real>& batch) {
  return std::vector<Real>(batch.any_parts ? batch.blocks.size() * batch.state_size : 0);
}

template <class Real>
void add(const Real* from, std::int64_t count, Real* to) {
  for (std::int64_t i = 0; i < count; ++i) to[i] += from[i];
}

// states [B, state]: the sums of the parts of each sequence, in order.
template <class Real>
void sum_parts(const LinearBatch<Real>& batch, const std::vector<Real>& parts, Real* states) {
  if (!batch.any_parts) return;
  const auto size = batch.state_size;
  for (std::size_t i = 0; i < batch.blocks.size(); ++i) {
    if (batch.blocks[i].whole) continue;
    Real* state = states + batch.blocks[i].sequence * size;
    const bool first = i == 0 || batch.blocks[i - 1].sequence != batch.blocks[i].sequence;
    if (first) std::fill(state, state + size, Real{0});
    add(&parts[i * size], size, state);
  }
}

// The state of each part becomes the sum of those before it in its sequence; with `backward`, of
// those after it.
template <class Real>
void sum_neighbours(const LinearBatch<Real>& batch, bool backward, Real* parts) {
  const auto size = batch.state_size;
  const auto count = static_cast<std::int64_t>(batch.any_parts ? batch.blocks.size() : 0);
  std::vector<Real> sum(size), next(size);
  std::int64_t sequence = -1;
  for (std::int64_t k = 0; k < count; ++k) {
    const auto i = backward ? count - 1 - k : k;
    if (batch.blocks[i].sequence != sequence) std::fill(sum.begin(), sum.end(), Real{0});
    sequence = batch.blocks[i].sequence;
    Real* part = parts + i * size;
    std::copy_n(part, size, next.data());
    std::copy_n(sum.data(), size, part);
    add(next.data(), size, sum.data());
  }
}

// out, and states [B, state], from the rows of whole sequences.
template <class Real>
void attend_linearly(const LinearBatch<Real>& batch, Real* states, Real* out) {
  const auto size = batch.state_size;
  const auto outputs = [&](std::int64_t, const kernels::SequenceBlock& block, Real* scratch) {
    kernels::linear_attention<Real>(batch.shape(block), batch.in(block),
                                    states + block.sequence * size, out + block.first * batch.width,
                                    scratch);
  };
  batch.for_each(true, [&](std::int64_t index, const kernels::SequenceBlock& block, Real* scratch) {
    Real* state = states + block.sequence * size;
    std::fill(state, state + size, Real{0});
    kernels::add_to_state(batch.shape(block), batch.in(block), state, scratch);
    outputs(index, block, scratch);
  });
  auto parts = part_states(batch);
  batch.for_each(
      false, [&](std::int64_t index, const kernels::SequenceBlock& block, Real* scratch) {
        kernels::add_to_state(batch.shape(block), batch.in(block), &parts[index * size], scratch);
      });
  sum_parts(batch, parts, states);
  batch.for_each(false, outputs);
}

template <class Real>
void attend_linearly_backward(const LinearBatch<Real>& batch, const Real* states,
                              const Real* gradient, const std::vector<Real*>& results) {
  const auto size = batch.state_size;
  const auto queries = [&](const kernels::SequenceBlock& block, Real* dstate, Real* scratch) {
    const auto at = block.first * batch.width;
    kernels::linear_attention_query_backward(batch.shape(block), batch.in(block),
                                             states + block.sequence * size, gradient + at,
                                             results[0] + at, dstate, scratch);
  };
  const auto keys = [&](const kernels::SequenceBlock& block, const Real* dstate, Real* scratch) {
    const auto at = block.first * batch.width;
    kernels::linear_attention_key_backward(batch.shape(block), batch.in(block), dstate,
                                           results[1] + at, results[2] + at, scratch);
  };
  batch.for_each(true, [&](std::int64_t, const kernels::SequenceBlock& block, Real* scratch) {
    Real* dstate = batch.scratch_state(scratch);
    std::fill(dstate, dstate + size, Real{0});
    queries(block, dstate, scratch);
    keys(block, dstate, scratch);
  });
  auto parts = part_states(batch);
  batch.for_each(false, [&](std::int64_t index, const kernels::SequenceBlock& block,
                            Real* scratch) { queries(block, &parts[index * size], scratch); });
  std::vector<Real> sums(batch.any_parts ? (batch.blocks.back().sequence + 1) * size : 0);
  sum_parts(batch, parts, sums.data());
  batch.for_each(false, [&](std::int64_t, const kernels::SequenceBlock& block, Real* scratch) {
    keys(block, &sums[block.sequence * size], scratch);
  });
}

// out, and for the parts of sequences the states before them in `before`, which starts as zeros.
template <class Real>
void attend_causally(const LinearBatch<Real>& batch, Real* before, Real* out) {
  const auto size = batch.state_size;
  batch.for_each(
      false, [&](std::int64_t index, const kernels::SequenceBlock& block, Real* scratch) {
        kernels::add_to_state(batch.shape(block), batch.in(block), before + index * size, scratch);
      });
  sum_neighbours(batch, /*backward=*/false, before);
  const auto outputs = [&](std::int64_t index, const kernels::SequenceBlock& block, Real* scratch) {
    Real* state = batch.scratch_state(scratch);
    if (block.whole) {
      std::fill(state, state + size, Real{0});
    } else {
      std::copy_n(before + index * size, size, state);
    }
    kernels::causal_linear_attention(batch.shape(block), batch.in(block), state,
                                     out + block.first * batch.width, scratch);
  };
  batch.for_each(true, outputs);
  batch.for_each(false, outputs);
}

template <class Real>
void attend_causally_backward(const LinearBatch<Real>& batch, const Real* before,
                              const Real* gradient, std::int64_t heads,
                              const std::vector<Real*>& results) {
  const auto size = batch.state_size;
  const auto queries = [&](const kernels::SequenceBlock& block, const Real* state, Real* factors,
                           Real* dstate, Real* scratch) {
    const auto at = block.first * batch.width;
    kernels::causal_query_backward(batch.shape(block), batch.in(block), state, gradient + at,
                                   results[0] + at, factors, dstate, scratch);
  };
  const auto keys = [&](const kernels::SequenceBlock& block, const Real* factors, Real* dstate,
                        Real* scratch) {
    const auto at = block.first * batch.width;
    kernels::causal_key_backward(batch.shape(block), batch.in(block), factors, gradient + at,
                                 dstate, results[1] + at, results[2] + at, scratch);
  };
  batch.for_each(true, [&](std::int64_t, const kernels::SequenceBlock& block, Real* scratch) {
    Real* state = batch.scratch_state(scratch);  // nothing before, and nothing after
    Real* factors = batch.scratch_factors(scratch);
    std::fill(state, state + size, Real{0});
    queries(block, state, factors, nullptr, scratch);
    keys(block, factors, state, scratch);
  });
  auto after = part_states(batch);
  std::vector<Real> factors(batch.any_parts ? batch.blocks.size() * 2 * heads * kRowsOfState : 0);
  const auto factors_of = [&](std::int64_t index) {
    return &factors[index * 2 * heads * kRowsOfState];
  };
  batch.for_each(
      false, [&](std::int64_t index, const kernels::SequenceBlock& block, Real* scratch) {
        queries(block, before + index * size, factors_of(index), &after[index * size], scratch);
      });
  sum_neighbours(batch, /*backward=*/true, after.data());
  batch.for_each(false,
                 [&](std::int64_t index, const kernels::SequenceBlock& block, Real* scratch) {
                   keys(block, factors_of(index), &after[index * size], scratch);
                 });
}

class LinearAttentionFunction : public Function<LinearAttentionFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& query,
                            const at::Tensor& key, const at::Tensor& value, std::int64_t heads,
                            bool causal, const std::vector<std::int64_t>& offsets) {
    const variable_list rows = {query.contiguous(), key.contiguous(), value.contiguous()};
    auto out = at::empty_like(rows[0]);
    at::Tensor states;  // of sequences; with `causal`, before blocks
    AT_DISPATCH_FLOATING_TYPES(out.scalar_type(), "linear_attention", [&] {
      const LinearBatch<scalar_t> batch(rows, heads, offsets);
      auto* to = out.mutable_data_ptr<scalar_t>();
      if (causal) {
        const auto count = batch.any_parts ? batch.blocks.size() : 0;
        states = at::zeros({static_cast<std::int64_t>(count), batch.state_size}, out.options());
        attend_causally(batch, states.mutable_data_ptr<scalar_t>(), to);
      } else {
        const auto count = static_cast<std::int64_t>(offsets.size()) - 1;
        states = at::empty({count, batch.state_size}, out.options());
        attend_linearly(batch, states.mutable_data_ptr<scalar_t>(), to);
      }
    });
    context->save_for_backward({rows[0], rows[1], rows[2], states});
    context->saved_data["heads"] = heads;
    context->saved_data["causal"] = causal;
    context->saved_data["offsets"] = offsets;
    return out;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto heads = context->saved_data["heads"].toInt();
    const auto offsets = context->saved_data["offsets"].toIntVector();
    const auto gradient = gradients[0].contiguous();
    variable_list results;
    for (int i = 0; i < 3; ++i) results.push_back(at::empty_like(saved[0]));
    AT_DISPATCH_FLOATING_TYPES(gradient.scalar_type(), "linear_attention_backward", [&] {
      const LinearBatch<scalar_t> batch(saved, heads, offsets);
      std::vector<scalar_t*> to;
      for (const auto& result : results) to.push_back(result.mutable_data_ptr<scalar_t>());
      const auto* states = saved[3].const_data_ptr<scalar_t>();
      const auto* g = gradient.const_data_ptr<scalar_t>();
      if (context->saved_data["causal"].toBool()) {
        attend_causally_backward(batch, states, g, heads, to);
      } else {
        attend_linearly_backward(batch, states, g, to);
      }
    });
    results.resize(6);  // of the number of heads, the switch and the offsets: none
    return results;
  }
};

}  // namespace

void LinearFields::visit_fields(base::FieldVisitor& visit) {
  visit("causal", causal, "causal: a token attends only to itself and earlier tokens");
}

LinearAttention::LinearAttention(const model::MixerShape& shape, const LinearFields& fields,
                                 ParameterStore& store, const std::string& name)
    : width_(shape.width),
      heads_(shape.heads),
      causal_(fields.causal),
      query_(store, name + ".query", width_, width_),
      key_(store, name + ".key", width_, width_),
      value_(store, name + ".value", width_, width_) {
  if (shape.output_projection) output_ = Linear(store, name + ".output", width_, width_);
}

at::Tensor LinearAttention::forward(const at::Tensor& x, const Offsets& offsets,
                                    MixerTrace* /*trace*/) const {
  check_rows(x, offsets);
  const auto rows = project(x, {query_, key_, value_});
  const auto y =
      LinearAttentionFunction::apply(rows[0], rows[1], rows[2], heads_, causal_, offsets.copy());
  return output_ ? output_.forward(y) : y;
}

double LinearAttention::multiply_adds(std::int64_t tokens) const {
  const auto n = static_cast<double>(tokens), d = static_cast<double>(width_);
  const double head_width = d / static_cast<double>(heads_);
  return n * d * ((output_ ? 4 : 3) * d + 2 * head_width);
}

}  // namespace fastformer::nn

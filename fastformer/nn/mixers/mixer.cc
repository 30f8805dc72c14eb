#include "fastformer/nn/mixers/mixer.h"

#include <c10/core/InferenceMode.h>

#include <deque>
#include <limits>
#include <type_traits>

#include "fastformer/base/registry.h"
#include "fastformer/kernels/row_blocks.h"
#include "fastformer/nn/mixers/additive_attention.h"
#include "fastformer/nn/mixers/block_sparse_attention.h"
#include "fastformer/nn/mixers/linear_attention.h"
#include "fastformer/nn/mixers/low_rank_attention.h"
#include "fastformer/nn/mixers/pooling_attention.h"
#include "fastformer/nn/mixers/sliding_window_attention.h"
#include "fastformer/nn/mixers/softmax_attention.h"

namespace fastformer::nn {
namespace {

// A row of the table; recipes know the fields of "additive" without it.
template <class Kind, class Fields>
MixerEntry built_in(const std::string& name) {
  if constexpr (!std::is_same_v<Fields, model::AdditiveFields>) {
    model::add_mixer_fields(name, std::make_unique<model::TypedMixerFields<Fields>>());
  }
  return mixer_entry<Fields>(name, [](const model::MixerShape& shape, const Fields& fields,
                                      ParameterStore& store, const std::string& prefix) {
    return std::make_unique<Kind>(shape, fields, store, prefix);
  });
}

base::Registry<MixerEntry>& table() {
  static base::Registry<MixerEntry> rows = [] {
    std::deque<MixerEntry> entries;
    entries.push_back(built_in<AdditiveAttention, model::AdditiveFields>("additive"));
    entries.push_back(built_in<BlockSparseAttention, BlockSparseFields>("block_sparse"));
    entries.push_back(built_in<LinearAttention, LinearFields>("linear"));
    entries.push_back(built_in<LowRankAttention, LowRankFields>("low_rank"));
    entries.push_back(built_in<PoolingAttention, PoolingFields>("pooling"));
    entries.push_back(built_in<SlidingWindowAttention, SlidingWindowFields>("sliding_window"));
    entries.push_back(built_in<SoftmaxAttention, SoftmaxFields>("softmax"));
    return base::Registry<MixerEntry>("mixer", std::move(entries));
  }();
  return rows;
}

// A program that links this file can name its mixers in recipes from the start.
[[maybe_unused]] const bool kNamed = (table(), true);

}  // namespace

void Mixer::stream(const at::Tensor& x, const Offsets& offsets, const RowSink& sink) const {
  const auto y = forward(x, offsets, nullptr);
  kernels::for_each_row_block(y.size(0), [&](std::int64_t, std::int64_t first, std::int64_t rows) {
    const c10::InferenceMode inference;
    sink(first, y.narrow(0, first, rows));
  });
}

double Mixer::multiply_adds(std::int64_t /*tokens*/) const {
  return std::numeric_limits<double>::quiet_NaN();
}

std::unique_ptr<Mixer> make_mixer(const model::MixerConfig& config, const model::MixerShape& shape,
                                  ParameterStore& store, const std::string& name) {
  return table().find(config.name()).make(shape, config.erased_fields(), store, name);
}

void add_mixer(MixerEntry entry) { table().add(std::move(entry)); }

}  // namespace fastformer::nn

#include "fastformer/nn/mixers/mixer.h"

#include <c10/core/InferenceMode.h>

#include <deque>
#include <limits>

#include "fastformer/base/registry.h"
#include "fastformer/nn/mixers/additive_attention.h"
#include "fastformer/nn/mixers/block_sparse_attention.h"
#include "fastformer/nn/mixers/linear_attention.h"
#include "fastformer/nn/mixers/low_rank_attention.h"
#include "fastformer/nn/mixers/pooling_attention.h"
#include "fastformer/nn/mixers/sliding_window_attention.h"
#include "fastformer/nn/mixers/softmax_attention.h"
#include "fastformer/nn/row_blocks.h"

namespace fastformer::nn {
namespace {

template <class Kind, class Fields>
MixerEntry built_in(const std::string& name) {
  return mixer_entry<Fields>(name, [](const MixerShape& shape, const Fields& fields,
                                      ParameterStore& store, const std::string& prefix) {
    return std::make_unique<Kind>(shape, fields, store, prefix);
  });
}

base::Registry<MixerEntry>& table() {
  static base::Registry<MixerEntry> rows = [] {
    std::deque<MixerEntry> entries;
    entries.push_back(built_in<AdditiveAttention, AdditiveFields>("additive"));
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

}  // namespace

void Mixer::stream(const at::Tensor& x, const Offsets& offsets, const RowSink& sink) const {
  const auto y = forward(x, offsets, nullptr);
  for_each_row_block(y.size(0), [&](std::int64_t, std::int64_t first, std::int64_t rows) {
    const c10::InferenceMode inference;
    sink(first, y.narrow(0, first, rows));
  });
}

double Mixer::multiply_adds(std::int64_t /*tokens*/) const {
  return std::numeric_limits<double>::quiet_NaN();
}

std::vector<std::string> mixer_names() { return table().names(); }

std::unique_ptr<MixerFields> default_mixer_fields(const std::string& name) {
  return table().find(name).defaults->clone();
}

std::unique_ptr<Mixer> make_mixer(const MixerConfig& config, const MixerShape& shape,
                                  ParameterStore& store, const std::string& name) {
  return table().find(config.name()).make(shape, config.erased_fields(), store, name);
}

void add_mixer(MixerEntry entry) { table().add(std::move(entry)); }

}  // namespace fastformer::nn

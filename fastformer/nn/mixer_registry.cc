#include <array>
#include <stdexcept>
#include <vector>

#include "fastformer/base/suggest.h"
#include "fastformer/nn/additive_attention.h"
#include "fastformer/nn/block_sparse_attention.h"
#include "fastformer/nn/linear_attention.h"
#include "fastformer/nn/low_rank_attention.h"
#include "fastformer/nn/mixer.h"
#include "fastformer/nn/pooling_attention.h"
#include "fastformer/nn/sliding_window_attention.h"
#include "fastformer/nn/softmax_attention.h"

namespace fastformer::nn {
namespace {

template <class T>
std::unique_ptr<Mixer> make(const EncoderConfig& config, ParameterStore& store,
                            const std::string& name) {
  return std::make_unique<T>(config, store, name);
}

struct Row {
  const char* name;
  std::unique_ptr<Mixer> (*make)(const EncoderConfig&, ParameterStore&, const std::string&);
};

constexpr std::array kMixers = {
    Row{"additive", make<AdditiveAttention>},             // Fastformer
    Row{"block_sparse", make<BlockSparseAttention>},      // BigBird
    Row{"linear", make<LinearAttention>},                 // Linear Transformer
    Row{"low_rank", make<LowRankAttention>},              // Linformer
    Row{"pooling", make<PoolingAttention>},               // Poolingformer
    Row{"sliding_window", make<SlidingWindowAttention>},  // Longformer
    Row{"softmax", make<SoftmaxAttention>},               // Transformer
};

}  // namespace

std::vector<std::string> mixer_names() {
  std::vector<std::string> names;
  for (const auto& row : kMixers) names.emplace_back(row.name);
  return names;
}

std::unique_ptr<Mixer> make_mixer(const EncoderConfig& config, ParameterStore& store,
                                  const std::string& name) {
  for (const auto& row : kMixers) {
    if (config.mixer == row.name) return row.make(config, store, name);
  }
  throw std::invalid_argument("model.mixer is '" + config.mixer + "'" +
                              base::suggestion(config.mixer, mixer_names()));
}

}  // namespace fastformer::nn

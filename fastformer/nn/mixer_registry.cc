#include <map>
#include <stdexcept>
#include <utility>
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

using Table = std::map<std::string, MixerFactory>;

Table& table() {
  static Table mixers = {
      {"additive", make<AdditiveAttention>},             // Fastformer
      {"block_sparse", make<BlockSparseAttention>},      // BigBird
      {"linear", make<LinearAttention>},                 // Linear Transformer
      {"low_rank", make<LowRankAttention>},              // Linformer
      {"pooling", make<PoolingAttention>},               // Poolingformer
      {"sliding_window", make<SlidingWindowAttention>},  // Longformer
      {"softmax", make<SoftmaxAttention>},               // Transformer
  };
  return mixers;
}

}  // namespace

std::vector<std::string> mixer_names() {
  std::vector<std::string> names;
  for (const auto& [name, factory] : table()) names.push_back(name);
  return names;
}

void register_mixer(const std::string& name, MixerFactory factory) {
  if (!table().try_emplace(name, std::move(factory)).second) {
    throw std::invalid_argument("there is a mixer '" + name + "' already; register another name");
  }
}

std::unique_ptr<Mixer> make_mixer(const EncoderConfig& config, ParameterStore& store,
                                  const std::string& name) {
  const auto found = table().find(config.mixer);
  if (found != table().end()) return found->second(config, store, name);
  throw std::invalid_argument("model.mixer is '" + config.mixer + "'" +
                              base::suggestion(config.mixer, mixer_names()));
}

}  // namespace fastformer::nn

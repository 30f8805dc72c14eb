#include "fastformer/classification/torch_network.h"

#include <ATen/ATen.h>

#include "fastformer/base/model_directory.h"
#include "fastformer/base/out_of_memory.h"
#include "fastformer/nn/inference.h"
#include "fastformer/runtime/additive_network.h"

namespace fastformer::classification {
namespace {

// [T, h] -> the mean of each row; empty if the mixer has no such weights.
std::vector<double> mean_over_heads(const at::Tensor& weights) {
  if (!weights.defined()) return {};
  const auto mean = weights.to(at::kDouble).mean(1).contiguous();
  const auto* first = mean.const_data_ptr<double>();
  return {first, first + mean.numel()};
}

// Calls `use` with batches of all texts, in their order.
template <class Use>
void for_each_batch(const runtime::TokenRows& texts, std::int64_t most_tokens, const Use& use) {
  data::TokenBatch batch;
  for (std::int64_t i = 0; i < texts.size(); ++i) {
    const auto first = texts.offsets[i];
    batch.add(texts.ids.subspan(first, texts.offsets[i + 1] - first));
    if (i + 1 < texts.size() && batch.tokens() + batch.size() < most_tokens) continue;
    base::naming_memory([&] { return batch.description(); }, [&] { use(batch); });
    batch = {};
  }
}

template <class Real>
void append(const at::Tensor& rows, std::vector<Real>& to) {
  const auto values = rows.to(c10::CppTypeToScalarType<Real>::value).contiguous();
  const auto* first = values.template const_data_ptr<Real>();
  to.insert(to.end(), first, first + values.numel());
}

}  // namespace

std::vector<double> TorchNetwork::logits(const runtime::TokenRows& texts, const Options& options,
                                         runtime::NetworkTrace* trace) const {
  std::vector<double> result;
  nn::infer<c10::InferenceMode>(options, [&] {
    ClassifierTrace weights;
    for_each_batch(texts, options.max_batch_tokens, [&](const data::TokenBatch& batch) {
      append(model_->forward(batch, /*training=*/false, trace == nullptr ? nullptr : &weights),
             result);
    });
    if (trace == nullptr) return;
    trace->pooling_weights = mean_over_heads(weights.pooling_weights);
    for (const auto& layer : weights.layers) {
      trace->layers.push_back(
          {mean_over_heads(layer.query_weights), mean_over_heads(layer.key_weights)});
    }
  });
  return result;
}

std::vector<float> TorchNetwork::vectors(const runtime::TokenRows& texts,
                                         const Options& options) const {
  std::vector<float> result;
  nn::infer<c10::InferenceMode>(options, [&] {
    for_each_batch(texts, options.max_batch_tokens,
                   [&](const data::TokenBatch& batch) { append(model_->embed(batch), result); });
  });
  return result;
}

std::unique_ptr<const runtime::Network> load_network(const runtime::ClassifierDirectory& loaded,
                                                     const std::filesystem::path& directory,
                                                     const Options& options) {
  const auto vocabulary_size = loaded.frame.tokenizer->vocabulary_size();
  const auto classes = std::ssize(loaded.frame.labels);
  const auto weights = directory / base::kWeightsFile;
  if (runtime::AdditiveNetwork::serves(loaded.config)) {
    return std::make_unique<runtime::AdditiveNetwork>(loaded.config, vocabulary_size, classes,
                                                      weights, options.precision);
  }
  return std::make_unique<TorchNetwork>(std::make_unique<ClassifierModel>(
      loaded.config, vocabulary_size, classes, nn::ParameterStore::from_file(weights)));
}

}  // namespace fastformer::classification

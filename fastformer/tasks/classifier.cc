#include "fastformer/tasks/classifier.h"

#include <algorithm>
#include <array>
#include <utility>

namespace fastformer::tasks {
namespace {

// [T, h] -> the mean of each row; nothing where the mixer has no such weights.
std::vector<double> mean_over_heads(const at::Tensor& weights) {
  if (!weights.defined()) return {};
  const auto mean = weights.to(at::kDouble).mean(1).contiguous();
  const auto* first = mean.const_data_ptr<double>();
  return {first, first + mean.numel()};
}

}  // namespace

Classifier Classifier::load(const std::filesystem::path& directory) {
  return Classifier(load_model(directory));
}

std::size_t Classifier::limit() const {
  const auto limit = content_.model_config.document_limit(content_.format.max_tokens);
  return limit == 0 ? text::Tokenizer::kNoLimit : static_cast<std::size_t>(limit);
}

data::RaggedBatch Classifier::encode(std::span<const std::string_view> texts) const {
  data::RaggedBatch batch;
  batch.offsets.push_back(0);
  for (const auto text : texts) {
    content_.tokenizer->encode(text, batch.ids, limit());
    batch.offsets.push_back(batch.tokens());
    batch.labels.push_back(-1);
  }
  return batch;
}

std::vector<Prediction> Classifier::predictions(const at::Tensor& logits) const {
  const auto probabilities = at::softmax(logits.to(at::kDouble), 1).contiguous();
  const auto* row = probabilities.const_data_ptr<double>();
  const auto classes = labels().size();
  std::vector<Prediction> result(static_cast<std::size_t>(logits.size(0)));
  for (auto& prediction : result) {
    prediction.probabilities.assign(row, row + classes);
    prediction.label = labels()[std::max_element(row, row + classes) - row];
    row += classes;
  }
  return result;
}

Prediction Classifier::classify(std::string_view text) const {
  const c10::InferenceMode inference;
  const std::array texts = {text};
  return predictions(content_.model->forward(encode(texts), /*training=*/false)).front();
}

std::vector<Prediction> Classifier::classify(std::span<const std::string> texts) const {
  if (texts.empty()) return {};
  const c10::InferenceMode inference;
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  return predictions(content_.model->forward(encode(views), /*training=*/false));
}

Explanation Classifier::explain(std::string_view text) const {
  const c10::InferenceMode inference;
  const std::array texts = {text};
  ClassifierTrace trace;
  const auto logits = content_.model->forward(encode(texts), /*training=*/false, &trace);
  Explanation result;
  result.prediction = predictions(logits).front();
  result.tokens = content_.tokenizer->tokens(text, limit());
  result.pooling_weights = mean_over_heads(trace.pooling_weights);
  for (const auto& layer : trace.layers) {
    result.layers.push_back(
        {mean_over_heads(layer.query_weights), mean_over_heads(layer.key_weights)});
  }
  return result;
}

}  // namespace fastformer::tasks

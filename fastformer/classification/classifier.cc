#include "fastformer/classification/classifier.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <stdexcept>

#include "fastformer/base/out_of_memory.h"
#include "fastformer/classification/classifier_model.h"
#include "fastformer/classification/label_thresholds.h"
#include "fastformer/nn/inference.h"

namespace fastformer {
namespace {

// [T, h] -> the mean of each row; empty if the mixer has no such weights.
std::vector<double> mean_over_heads(const at::Tensor& weights) {
  if (!weights.defined()) return {};
  const auto mean = weights.to(at::kDouble).mean(1).contiguous();
  const auto* first = mean.const_data_ptr<double>();
  return {first, first + mean.numel()};
}

}  // namespace

struct Classifier::Impl {
  classification::ClassifierContent content;
  Options options;

  std::size_t limit() const {
    return content.max_tokens == 0 ? text::Tokenizer::kNoLimit
                                   : static_cast<std::size_t>(content.max_tokens);
  }

  template <class Action>
  decltype(auto) compute(Action&& action) const {
    return nn::infer<c10::InferenceMode>(options, std::forward<Action>(action));
  }

  // Calls `use` with batches of all texts, in their order, and those of their n-grams.
  template <class Text, class Use>
  void for_each_batch(std::span<const Text> texts, const Use& use_batch) const {
    data::TokenBatch batch, ngrams;
    const auto use = [&] {
      base::naming_memory([&] { return batch.description(); }, [&] { use_batch(batch, ngrams); });
    };
    for (const auto& text : texts) {
      content.tokenizer->encode(text, batch.ids, limit());
      batch.offsets.push_back(batch.tokens());
      if (content.linear) content.linear->model->table().encode(text, ngrams.ids);
      ngrams.offsets.push_back(ngrams.tokens());
      // An empty text counts as one token, else a batch could hold any number of them.
      if (batch.tokens() + batch.size() < options.max_batch_tokens) continue;
      use();
      batch = {};
      ngrams = {};
    }
    if (batch.size() > 0) use();
  }

  // One prediction per row of the network's logits [rows, classes] and of the n-grams.
  std::vector<Prediction> predictions(const at::Tensor& network,
                                      const data::TokenBatch& ngrams) const {
    const auto* linear = content.linear ? content.linear->model.get() : nullptr;
    const auto scores = classification::member_scores(network, linear, ngrams);
    auto logits = linear == nullptr ? scores.front() : content.linear->pool.logits(scores);
    const auto classes = content.labels.size();
    std::vector<Prediction> result;
    for (std::size_t first = 0; first < logits.size(); first += classes) {
      const auto row = std::span(logits).subspan(first, classes);
      result.push_back(content.several_labels() ? labels_of(row) : class_of(row));
    }
    return result;
  }

  Prediction class_of(std::span<double> logits) const {
    const auto best = std::max_element(logits.begin(), logits.end()) - logits.begin();
    linear::softmax(logits);
    const auto& label = content.labels[static_cast<std::size_t>(best)];
    return {label, {logits.begin(), logits.end()}, {label}};
  }

  Prediction labels_of(std::span<double> logits) const {
    Prediction prediction;
    for (const double logit : logits) prediction.probabilities.push_back(linear::sigmoid(logit));
    auto above = classification::labels_above(prediction.probabilities, content.thresholds);
    std::stable_sort(above.begin(), above.end(), [&](auto a, auto b) {
      return logits[static_cast<std::size_t>(a)] > logits[static_cast<std::size_t>(b)];
    });
    for (const auto label : above) {
      prediction.labels.push_back(content.labels[static_cast<std::size_t>(label)]);
    }
    if (!prediction.labels.empty()) prediction.label = prediction.labels.front();
    return prediction;
  }

  template <class Text>
  std::vector<Prediction> classify(std::span<const Text> texts) const {
    return compute([&] {
      std::vector<Prediction> result;
      result.reserve(texts.size());
      for_each_batch(texts, [&](const data::TokenBatch& batch, const data::TokenBatch& ngrams) {
        const auto logits = content.model->forward(batch, /*training=*/false);
        for (auto& one : predictions(logits, ngrams)) result.push_back(std::move(one));
      });
      return result;
    });
  }
};

Classifier Classifier::load(const std::filesystem::path& directory, const Options& options) {
  return nn::without_torch_errors(
      [&] { return Classifier(classification::ClassifierContent::load(directory), options); });
}

Classifier::Classifier(classification::ClassifierContent content, const Options& options)
    : impl_(std::make_unique<Impl>(Impl{std::move(content), options})) {}

Classifier::Classifier(Classifier&&) noexcept = default;
Classifier& Classifier::operator=(Classifier&&) noexcept = default;
Classifier::~Classifier() = default;

const std::vector<std::string>& Classifier::labels() const { return impl_->content.labels; }

bool Classifier::several_labels() const { return impl_->content.several_labels(); }

const classification::ClassifierContent& Classifier::content() const { return impl_->content; }

Prediction Classifier::classify(std::string_view text) const {
  const std::array texts = {text};
  return impl_->classify<std::string_view>(texts).front();
}

std::vector<Prediction> Classifier::classify(std::span<const std::string> texts) const {
  return impl_->classify(texts);
}

std::vector<std::pair<std::string, double>> Classifier::top(const Prediction& prediction,
                                                            std::size_t k) const {
  std::vector<std::size_t> order(prediction.probabilities.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto count = std::min(k, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                    [&](auto a, auto b) {
                      const auto &p = prediction.probabilities[a], &q = prediction.probabilities[b];
                      return p != q ? p > q : a < b;
                    });
  std::vector<std::pair<std::string, double>> result;
  for (std::size_t i = 0; i < count; ++i) {
    result.emplace_back(labels()[order[i]], prediction.probabilities[order[i]]);
  }
  return result;
}

std::vector<std::pair<std::string, double>> Classifier::ngrams(std::string_view text,
                                                               std::string_view label) const {
  const auto& content = impl_->content;
  const auto found = std::find(content.labels.begin(), content.labels.end(), label);
  if (found == content.labels.end()) {
    throw std::invalid_argument("the model has no label '" + std::string(label) + "'");
  }
  if (!content.linear) return {};
  return content.linear->model->contributions(
      text, found - content.labels.begin(), content.linear->pool,
      content.several_labels() ? linear::Baseline::kZero : linear::Baseline::kMeanOfClasses);
}

Explanation Classifier::explain(std::string_view text) const {
  return impl_->compute([&] {
    const auto& content = impl_->content;
    const std::array texts = {text};
    Explanation result;
    classification::ClassifierTrace trace;
    impl_->for_each_batch<std::string_view>(texts, [&](const auto& batch, const auto& ngrams) {
      const auto logits = content.model->forward(batch, /*training=*/false, &trace);
      result.prediction = impl_->predictions(logits, ngrams).front();
    });
    result.ngrams = ngrams(text, top(result.prediction, 1).front().first);
    result.tokens = content.tokenizer->tokens(text, impl_->limit());
    result.pooling_weights = mean_over_heads(trace.pooling_weights);
    for (const auto& layer : trace.layers) {
      result.layers.push_back(
          {mean_over_heads(layer.query_weights), mean_over_heads(layer.key_weights)});
    }
    return result;
  });
}

Vectors Classifier::embed(std::span<const std::string> texts) const {
  return impl_->compute([&] {
    Vectors vectors{
        .width = static_cast<std::size_t>(impl_->content.model->config().text.encoder.width),
        .values = {}};
    impl_->for_each_batch(texts, [&](const data::TokenBatch& batch, const data::TokenBatch&) {
      const auto rows = impl_->content.model->embed(batch).to(at::kFloat).contiguous();
      const auto* first = rows.const_data_ptr<float>();
      vectors.values.insert(vectors.values.end(), first, first + rows.numel());
    });
    return vectors;
  });
}

}  // namespace fastformer

// Uses the installed rooms as a stranger would: headers by their public path, nothing from the
// source tree.
#include <cstdint>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fastformer/text/tokenizer.h"
#include "fastformer/text/tokenizer_config.h"
#ifdef CONSUMER_HAS_TASKS
#include <ATen/ATen.h>

#include "fastformer/nn/mixer.h"
#include "fastformer/tasks/metrics.h"
#include "fastformer/tasks/text_classifier.h"
#endif

namespace {

bool encodes_text() {
  fastformer::text::TokenizerConfig config;
  config.minimum_count = 1;
  const auto tokenizer = fastformer::text::make_tokenizer(
      config, [](const std::function<void(std::string_view)>& visit) { visit("oil prices fall"); });
  std::vector<std::int32_t> ids;
  tokenizer->encode("prices fall", ids);
  return ids.size() >= 2 && tokenizer->vocabulary_size() > 3;
}

#ifdef CONSUMER_HAS_TASKS
bool counts_predictions() {
  fastformer::tasks::ConfusionMatrix confusion(2);
  confusion.add(1, 1);
  return confusion.accuracy() == 1.0 && at::ones({3}).sum().item<float>() == 3.0f;
}

// A mixer of somebody else: every token sees the mean of its sequence.
class MeanMixer final : public fastformer::nn::Mixer {
 public:
  MeanMixer(std::int64_t width, fastformer::nn::ParameterStore& store, const std::string& name)
      : scale_(store.constant(name + ".scale", {width}, 1)) {}

  at::Tensor forward(const at::Tensor& x, const fastformer::nn::Offsets& offsets,
                     fastformer::nn::MixerTrace*) const override {
    const auto pooled =
        fastformer::nn::pool_by_logits(x, at::zeros({x.size(0), 1}, x.options()), offsets);
    return scale_ * fastformer::nn::expand_rows(pooled.vectors, offsets);
  }

 private:
  at::Tensor scale_;
};

// The recipe names it, a whole model trains it.
bool uses_a_mixer_of_its_own() {
  fastformer::nn::register_mixer("mean", [](const auto& config, auto& store, const auto& name) {
    return std::make_unique<MeanMixer>(config.width, store, name);
  });
  const auto tree = fastformer::base::ConfigTree::from_json(
      R"({"model": {"mixer": "mean", "width": 16, "heads": 2, "ffn_width": 16}})", "consumer");
  const fastformer::tasks::TextClassifier model(fastformer::tasks::read_model_config(tree),
                                                /*vocabulary_size=*/10, /*classes=*/3, /*seed=*/1);
  model
      .forward({.ids = {1, 2, 3, 4}, .offsets = {0, 3, 4}, .labels = {0, 2}, .rows = {0, 1}},
               /*training=*/true)
      .select(1, 0)
      .sum()
      .backward();
  const auto scale = model.parameters().at("encoder.layers.0.attention.scale");
  return scale.grad().abs().sum().item<float>() > 0;
}
#else
bool counts_predictions() { return true; }
bool uses_a_mixer_of_its_own() { return true; }
#endif

}  // namespace

int main() {
  const bool works = encodes_text() && counts_predictions() && uses_a_mixer_of_its_own();
  std::cout << (works ? "consumer: works\n" : "consumer: wrong result\n");
  return works ? 0 : 1;
}

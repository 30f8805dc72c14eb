// Uses the installed modules as a stranger would: headers by their public path, nothing from the
// source tree.
#include <cstdint>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fastformer/text/tokenizer.h"
#ifdef CONSUMER_HAS_CLASSIFICATION
#include <ATen/ATen.h>

#include "fastformer/classification/training.h"
#include "fastformer/nn/mixers/mixer.h"
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

#ifdef CONSUMER_HAS_CLASSIFICATION
// A mixer of somebody else: y_i = scale * x_i.
class ScaleMixer final : public fastformer::nn::Mixer {
 public:
  ScaleMixer(std::int64_t width, fastformer::nn::ParameterStore& store, const std::string& name)
      : scale_(store.constant(name + ".scale", {width}, 1)) {}

  at::Tensor forward(const at::Tensor& x, const fastformer::nn::Offsets&,
                     fastformer::nn::MixerTrace*) const override {
    return scale_ * x;
  }

 private:
  at::Tensor scale_;
};

// A recipe names it, and a classifier learns from examples in memory.
bool trains_with_a_mixer_of_its_own() {
  using namespace fastformer;
  nn::register_mixer<model::NoMixerFields>(
      "scale", [](const model::MixerShape& shape, const model::NoMixerFields&,
                  nn::ParameterStore& store, const std::string& name) {
        return std::make_unique<ScaleMixer>(shape.width, store, name);
      });
  classification::Recipe recipe;
  auto& encoder = recipe.model.text.encoder;
  encoder.mixer = model::MixerConfig("scale");
  encoder.width = encoder.ffn_width = 16;
  encoder.heads = 2;
  recipe.train.epochs = 30;
  recipe.train.learning_rate = 1e-2;
  recipe.data.validation_fraction = 0;
  std::vector<classification::Example> examples;
  for (int i = 0; i < 32; ++i) {
    examples.push_back(i % 2 == 0
                           ? classification::Example{.text = "oil prices fall", .label = "market"}
                           : classification::Example{.text = "the team wins", .label = "sport"});
  }
  const auto classifier = classification::train(examples, recipe);
  return classifier.classify("oil prices").label == "market" &&
         classifier.classify("the team").label == "sport";
}
#else
bool trains_with_a_mixer_of_its_own() { return true; }
#endif

}  // namespace

int main() {
  const bool works = encodes_text() && trains_with_a_mixer_of_its_own();
  std::cout << (works ? "consumer: works\n" : "consumer: wrong result\n");
  return works ? 0 : 1;
}

// A model directory of which one file is damaged, through the C interface.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "fastformer/base/atomic_file.h"
#include "fastformer/capi/fastformer.h"
#include "fastformer/model/stored_parameter.h"
#include "runtime/model_folder.h"
#include "target.h"

namespace fastformer::fuzz {
namespace {

// The weights in 8 and 4 bits.
std::string quantized(const std::filesystem::path& file) {
  const auto floats = base::SafetensorsFile::open(file);
  std::map<std::string, base::TensorView> views;
  std::vector<model::QuantizedParameter> kept;
  kept.reserve(floats.tensors().size());
  for (const auto& [name, view] : floats.tensors()) {
    views[name] = view;
    if (view.shape.size() != 2) continue;
    const bool pairs = name == "embedding.bigram.weight";
    const std::span values(reinterpret_cast<const float*>(view.data.data()), view.data.size() / 4);
    kept.emplace_back(model::quantize(values, view.shape[1],
                                      pairs ? model::Storage::kInt4 : model::Storage::kInt8))
        .add_to(views, name);
  }
  const auto copy = folder() / "quantized";
  base::write_safetensors(copy, views);
  return base::read_file(copy);
}

struct Model {
  Model() {
    directory = folder() / "model";
    runtime::write_random_classifier(directory, runtime::small_classifier(), {"a", "b", "c"});
    config = base::read_file(directory / "config.json");
    weights = base::read_file(directory / base::kWeightsFile);
    small = quantized(directory / base::kWeightsFile);
  }
  std::filesystem::path directory;
  std::string config, weights, small;
};

// Some bytes of a text replaced: each as a place in four bytes and a byte.
std::string damaged(std::string text, std::string_view changes) {
  for (; changes.size() >= 5; changes.remove_prefix(5)) {
    std::size_t place = 0;
    for (int i = 0; i < 4; ++i) place = place << 8 | static_cast<unsigned char>(changes[i]);
    text[place % text.size()] = changes[4];
  }
  return text;
}

}  // namespace

// The first byte says what is damaged.
void run(std::string_view bytes) {
  static const Model model;
  const char part = bytes.empty() ? '\0' : bytes.front();
  if (!bytes.empty()) bytes.remove_prefix(1);
  const bool replaces = part == 'c';  // config.json
  const auto& weights = part == 'q' ? model.small : model.weights;
  write("model/config.json", replaces ? std::string(bytes) : model.config);
  write(std::string("model/") + base::kWeightsFile, replaces ? weights : damaged(weights, bytes));

  fastformer_options options;
  fastformer_options_init(&options);
  options.threads = 1;
  auto* classifier = fastformer_classifier_load(model.directory.c_str(), &options);
  if (classifier == nullptr) throw std::invalid_argument(fastformer_last_error());
  std::vector<fastformer_text> texts;
  for (const auto& text : runtime::kSampleTexts) texts.push_back({text.data(), text.size()});
  const auto labels = fastformer_classifier_label_count(classifier);
  std::vector<double> probabilities(labels * texts.size());
  std::vector<float> vectors(fastformer_classifier_width(classifier) * texts.size());
  const int code =
      fastformer_classify(classifier, texts.data(), texts.size(), probabilities.data(), nullptr);
  for (std::size_t i = 0; code == FASTFORMER_OK && i < texts.size(); ++i) {
    const auto row = std::span(probabilities).subspan(i * labels, labels);
    const bool finite = std::ranges::all_of(row, [](double p) { return p >= 0 && p <= 1; });
    check(finite, "a probability is a number from 0 to 1");
  }
  fastformer_embed(classifier, texts.data(), texts.size(), vectors.data());
  char* json = nullptr;
  if (fastformer_explain(classifier, texts.front(), &json) == FASTFORMER_OK) {
    check_utf8(json, "an explanation is UTF-8");
    fastformer_string_free(json);
  }
  fastformer_classifier_free(classifier);
}

}  // namespace fastformer::fuzz

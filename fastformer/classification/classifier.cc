#include "fastformer/classification/classifier.h"

#include "fastformer/classification/classifier_model.h"
#include "fastformer/classification/torch_network.h"
#include "fastformer/nn/torch_errors.h"

namespace fastformer {

struct Classifier::Impl {
  runtime::Classifier classifier;
  classification::DataConfig data_config;
};

Classifier Classifier::load(const std::filesystem::path& directory, const Options& options) {
  return nn::without_torch_errors([&] {
    classification::DataConfig data_config;
    auto loaded = runtime::ClassifierDirectory::load(
        directory, [&](const base::ConfigTree& tree) { tree.read_section("data", data_config); });
    auto network = classification::load_network(loaded, directory, options);
    return Classifier(std::make_unique<Impl>(
        Impl{{std::move(loaded.frame), std::move(network), options}, std::move(data_config)}));
  });
}

Classifier::Classifier(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}

Classifier::Classifier(classification::ClassifierContent content, const Options& options) {
  auto network = std::make_unique<classification::TorchNetwork>(std::move(content.model));
  auto data_config = std::move(content.data_config);
  impl_ = std::make_unique<Impl>(
      Impl{{std::move(content), std::move(network), options}, std::move(data_config)});
}

Classifier::Classifier(Classifier&&) noexcept = default;
Classifier& Classifier::operator=(Classifier&&) noexcept = default;
Classifier::~Classifier() = default;

const std::vector<std::string>& Classifier::labels() const { return runtime().frame().labels; }

bool Classifier::several_labels() const { return runtime().frame().several_labels(); }

const classification::DataConfig& Classifier::data_config() const { return impl_->data_config; }

const runtime::Classifier& Classifier::runtime() const { return impl_->classifier; }

Prediction Classifier::classify(std::string_view text) const { return runtime().classify(text); }

std::vector<Prediction> Classifier::classify(std::span<const std::string> texts) const {
  return runtime().classify(texts);
}

std::vector<std::pair<std::string, double>> Classifier::top(const Prediction& prediction,
                                                            std::size_t k) const {
  return runtime().top(prediction, k);
}

std::vector<std::pair<std::string, double>> Classifier::ngrams(std::string_view text,
                                                               std::string_view label) const {
  return runtime().ngrams(text, label);
}

Explanation Classifier::explain(std::string_view text) const { return runtime().explain(text); }

Vectors Classifier::embed(std::span<const std::string> texts) const {
  return runtime().embed(texts);
}

}  // namespace fastformer

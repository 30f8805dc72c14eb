#include "fastformer/classification/start.h"

#include <stdexcept>
#include <utility>

#include "fastformer/classification/classifier_model.h"

namespace fastformer::classification {

std::optional<Start> start_of(const Recipe& recipe) {
  if (recipe.train.from.empty()) return std::nullopt;
  const std::filesystem::path directory = recipe.train.from;
  auto content = ClassifierContent::load(directory);
  const bool several = !content.thresholds.empty();
  if (several != recipe.data.several_labels()) {
    throw std::invalid_argument(
        directory.string() +
        (several ? " predicts several labels per document, but the recipe has classes; set "
                   "data.multi_label, or train without --from"
                 : " predicts one class per document, but the recipe has several labels per "
                   "document; train without --from"));
  }
  const auto shape_of = [](const model::ClassifierConfig& config,
                           const text::TokenizerConfig& text) {
    auto tree = train::shape_of(config, text);
    if (config.pretrained) tree.write_section("pretrained", config.pretrained.bert);
    return tree;
  };
  train::StartingModel model(directory,
                             shape_of(content.model->config(), text::tokenizer_config(directory)),
                             shape_of(recipe.model, recipe.text),
                             {"model.pretrained", "model.trainable_layers",
                              "model.pretrained_factor", "model.layer_factor"});
  return Start{std::move(model), {directory, std::move(content.labels)}};
}

const StartingPoint* point_of(const std::optional<Start>& start) {
  return start ? &start->point : nullptr;
}

}  // namespace fastformer::classification

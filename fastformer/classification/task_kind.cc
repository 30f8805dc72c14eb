#include "fastformer/classification/task_kind.h"

#include <algorithm>
#include <memory>
#include <stdexcept>

#include "fastformer/base/format.h"
#include "fastformer/classification/classifier.h"
#include "fastformer/classification/dataset_scan.h"
#include "fastformer/classification/evaluation.h"
#include "fastformer/classification/label_set_evaluation.h"
#include "fastformer/classification/misclassified.h"
#include "fastformer/classification/torch_network.h"
#include "fastformer/classification/training.h"
#include "fastformer/kernels/parallel.h"
#include "fastformer/runtime/classifier_service.h"

namespace fastformer::classification {
namespace {

std::unique_ptr<train::Recipe> read_recipe(const base::ConfigTree& tree) {
  return std::make_unique<Recipe>(Recipe::read(tree));
}

std::vector<train::RecipeSection> sections() {
  return {
      {"data", [](base::FieldVisitor& visit) { DataConfig().visit_fields(visit); }},
      {"model", [](base::FieldVisitor& visit) { model::ClassifierConfig().visit_fields(visit); }},
      {"linear", [](base::FieldVisitor& visit) { linear::LinearConfig().visit_fields(visit); }},
      {"text", [](base::FieldVisitor& visit) { text::TokenizerConfig().visit_fields(visit); }},
      {"train", [](base::FieldVisitor& visit) { Recipe().visit_train_fields(visit); }}};
}

std::string inspect(const std::filesystem::path& directory) {
  const auto content = ClassifierContent::load(directory);
  const auto& encoder = content.model->config().text.encoder;
  const auto& pretrained = content.model->config().pretrained;
  std::string text =
      base::format(
          "kind classifier\nvocabulary %ld\nencoder %s, layers %ld, width %ld, heads %ld\n",
          content.tokenizer->vocabulary_size(), encoder.mixer.name().c_str(), encoder.layers,
          encoder.width, encoder.heads) +
      (pretrained ? base::format("tokens by a pre-trained encoder, layers %ld, width %ld\n",
                                 pretrained.bert.layers, pretrained.bert.width)
                  : std::string()) +
      base::format(content.several_labels() ? "labels (threshold) %zu\n" : "classes %zu\n",
                   content.labels.size());
  for (std::size_t i = 0; i < content.labels.size(); ++i) {
    text += "  " + content.labels[i];
    if (content.several_labels()) text += base::format(" (%.3f)", content.thresholds[i]);
    text += "\n";
  }
  if (content.linear) {
    text += base::format("members (coefficient)\n  network (%.3f)\n",
                         content.linear->pool.coefficients.front());
    for (std::size_t k = 0; k < content.linear->model->members().size(); ++k) {
      text += base::format("  %s (%.3f)\n",
                           content.linear->model->members()[k].config.description().c_str(),
                           content.linear->pool.coefficients[k + 1]);
    }
  }
  return text + train::parameter_table(content.model->parameters());
}

// The data are read as the model was trained.
void check_labels_per_document(const runtime::ClassifierFrame& frame, const DataConfig& config,
                               const std::filesystem::path& model) {
  if (frame.several_labels() == config.several_labels()) return;
  throw std::invalid_argument(
      model.string() + (frame.several_labels()
                            ? " predicts several labels per document; set data.multi_label = true, "
                              "data.label_separator or data.label_columns"
                            : " predicts one class per document; data.multi_label must be false, "
                              "and data.label_separator and label_columns empty"));
}

train::EvaluationReport evaluate(const train::EvaluationRequest& request,
                                 const train::NoticeSink& notice) {
  if (!request.ensemble.empty() || !request.predictions.empty()) {
    throw std::invalid_argument("--ensemble and --predictions are for recommenders, but " +
                                request.model.string() + " contains a classifier");
  }
  if (request.data.empty()) {
    throw std::invalid_argument("give the files on which to evaluate " + request.model.string());
  }
  if (!request.errors.empty() && std::ranges::find(request.data, "-") != request.data.end()) {
    throw std::invalid_argument(
        "--errors reads the data twice, but standard input can be read only once; give a file");
  }
  const kernels::ComputeScope scope(request.options.precision, request.options.threads);
  DataConfig config;
  const auto loaded = runtime::ClassifierDirectory::load(
      request.model, [&](const base::ConfigTree& tree) { tree.read_section("data", config); });
  const auto& frame = loaded.frame;
  const auto network = load_network(loaded, request.model, request.options);
  const ScoredNetwork scored(*network, std::ssize(frame.labels), request.options);
  base::ConfigTree::from_assignments(request.set, {"data"}).read_section("data", config);
  config.max_tokens = frame.max_tokens;
  check_labels_per_document(frame, config, request.model);
  const auto* linear = frame.linear ? &*frame.linear : nullptr;
  const auto measure = [&](auto evaluator) {
    std::vector<std::string> notices;
    for_each_labelled_piece(
        config, request.data, *frame.tokenizer,
        linear == nullptr ? nullptr : &linear->model->table(), frame.labels,
        [&](const LabelledCorpus& piece) { evaluator.add(piece); }, &notices);
    for (const auto& sentence : notices) notice(sentence);
    return evaluator.result();
  };
  if (frame.several_labels()) {
    const auto result = measure(LabelSetEvaluator(scored, linear, frame.thresholds));
    if (!request.errors.empty()) {
      write_wrong_label_sets(request.errors, config, request.data, result, frame.labels);
    }
    return {label_set_table(result, frame.labels), label_set_json(result, frame.labels)};
  }
  const auto result = measure(Evaluator(scored, linear));
  if (!request.errors.empty()) {
    write_misclassified(request.errors, config, request.data, result, frame.labels);
  }
  return {evaluation_table(result, frame.labels), evaluation_json(result, frame.labels)};
}

std::shared_ptr<const base::ModelService> serve(const train::ServiceRequest& request) {
  if (!request.items.empty()) {
    throw std::invalid_argument(request.model.string() +
                                " contains a classifier, which has no items; "
                                "remove --items");
  }
  // The service uses the classifier inside the facade.
  const auto facade =
      std::make_shared<const Classifier>(Classifier::load(request.model, request.options));
  return std::make_shared<runtime::ClassifierService>(
      std::shared_ptr<const runtime::Classifier>(facade, &facade->runtime()));
}

}  // namespace

train::TaskKind task_kind() {
  return {.name = Recipe().task(),
          .models = {model::kClassifierKind},
          .commands = {"predict", "embed", "quantize", "convert"},
          .read_recipe = read_recipe,
          .sections = sections,
          .inspect = inspect,
          .evaluate = evaluate,
          .serve = serve,
          .export_parts = [](const train::Recipe& recipe, const std::filesystem::path& folder) {
            export_parts(dynamic_cast<const Recipe&>(recipe).data, folder);
          }};
}

}  // namespace fastformer::classification

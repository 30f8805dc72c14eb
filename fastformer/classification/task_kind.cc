#include "fastformer/classification/task_kind.h"

#include <algorithm>
#include <memory>
#include <stdexcept>

#include "fastformer/base/format.h"
#include "fastformer/classification/dataset_scan.h"
#include "fastformer/classification/evaluation.h"
#include "fastformer/classification/misclassified.h"
#include "fastformer/classification/training.h"
#include "fastformer/kernels/parallel.h"

namespace fastformer::classification {
namespace {

std::unique_ptr<train::Recipe> read_recipe(const base::ConfigTree& tree) {
  return std::make_unique<Recipe>(Recipe::read(tree));
}

std::vector<train::RecipeSection> sections() {
  return {{"data", [](base::FieldVisitor& visit) { DataConfig().visit_fields(visit); }},
          {"model", [](base::FieldVisitor& visit) { ModelConfig().visit_fields(visit); }},
          {"linear", [](base::FieldVisitor& visit) { linear::LinearConfig().visit_fields(visit); }},
          {"text", [](base::FieldVisitor& visit) { text::TokenizerConfig().visit_fields(visit); }},
          {"train", [](base::FieldVisitor& visit) { Recipe().visit_train_fields(visit); }}};
}

std::string inspect(const std::filesystem::path& directory) {
  const auto content = ClassifierContent::load(directory);
  const auto& encoder = content.model->config().text.encoder;
  std::string text =
      train::parameter_table(content.model->parameters()) +
      base::format(
          "kind classifier\nvocabulary %ld\nencoder %s, layers %ld, width %ld, heads %ld\n",
          content.tokenizer->vocabulary_size(), encoder.mixer.name().c_str(), encoder.layers,
          encoder.width, encoder.heads) +
      base::format("classes %zu\n", content.labels.size());
  for (const auto& label : content.labels) text += "  " + label + "\n";
  if (content.linear) {
    text += base::format("members (coefficient)\n  network (%.3f)\n",
                         content.linear->pool.coefficients.front());
    for (std::size_t k = 0; k < content.linear->model->members().size(); ++k) {
      text += base::format("  %s (%.3f)\n",
                           content.linear->model->members()[k].config.description().c_str(),
                           content.linear->pool.coefficients[k + 1]);
    }
  }
  return text;
}

train::EvaluationReport evaluate(const train::EvaluationRequest& request,
                                 const train::NoticeSink& notice) {
  if (!request.ensemble.empty() || !request.predictions.empty()) {
    throw std::invalid_argument("--ensemble and --predictions are for recommenders, but " +
                                request.model.string() + " holds a classifier");
  }
  if (request.data.empty()) {
    throw std::invalid_argument("name the files to evaluate " + request.model.string() + " on");
  }
  if (!request.errors.empty() && std::ranges::find(request.data, "-") != request.data.end()) {
    throw std::invalid_argument(
        "--errors reads the data twice, which the standard input does not allow; give a file");
  }
  const kernels::ComputeScope scope(request.options.precision, request.options.threads);
  auto content = ClassifierContent::load(request.model);
  auto& config = content.data_config;
  base::ConfigTree::from_assignments(request.set, {"data"}).read_section("data", config);
  config.max_tokens = content.max_tokens;
  const auto* linear = content.linear ? &*content.linear : nullptr;
  Evaluator evaluator(*content.model, linear);
  std::vector<std::string> notices;
  for_each_labelled_piece(
      config, request.data, *content.tokenizer,
      linear == nullptr ? nullptr : &linear->model->table(), content.labels,
      [&](const LabelledCorpus& piece) { evaluator.add(piece); }, &notices);
  for (const auto& sentence : notices) notice(sentence);
  const auto result = evaluator.result();
  if (!request.errors.empty()) {
    write_misclassified(request.errors, config, request.data, result, content.labels);
  }
  return {evaluation_table(result, content.labels), evaluation_json(result, content.labels)};
}

}  // namespace

train::TaskKind task_kind() {
  return {.name = Recipe().task(),
          .model = kModelKind,
          .commands = {"predict", "convert"},
          .read_recipe = read_recipe,
          .sections = sections,
          .inspect = inspect,
          .evaluate = evaluate,
          .export_parts = [](const train::Recipe& recipe, const std::filesystem::path& folder) {
            export_parts(dynamic_cast<const Recipe&>(recipe).data, folder);
          }};
}

}  // namespace fastformer::classification

#include "fastformer/summarization/task_kind.h"

#include <memory>
#include <stdexcept>
#include <string>

#include "fastformer/base/format.h"
#include "fastformer/base/model_directory.h"
#include "fastformer/kernels/parallel.h"
#include "fastformer/summarization/abstractive/decoding.h"
#include "fastformer/summarization/abstractive/summarizer_model.h"
#include "fastformer/summarization/dataset.h"
#include "fastformer/summarization/evaluation.h"
#include "fastformer/summarization/extractive/document.h"
#include "fastformer/summarization/extractive/extractive_service.h"
#include "fastformer/summarization/extractive/scored_document.h"
#include "fastformer/summarization/summarizer_service.h"
#include "fastformer/summarization/training.h"

namespace fastformer::summarization {
namespace {

std::unique_ptr<train::Recipe> read_recipe(const base::ConfigTree& tree) {
  return std::make_unique<Recipe>(Recipe::read(tree));
}

std::vector<train::RecipeSection> sections() {
  return {{"data", [](base::FieldVisitor& visit) { DataConfig().visit_fields(visit); }},
          {"model", [](base::FieldVisitor& visit) { ModelConfig().visit_fields(visit); }},
          {"search", [](base::FieldVisitor& visit) { SearchConfig().visit_fields(visit); }},
          {"selection", [](base::FieldVisitor& visit) { SelectionConfig().visit_fields(visit); }},
          {"text", [](base::FieldVisitor& visit) { text::TokenizerConfig().visit_fields(visit); }},
          {"train", [](base::FieldVisitor& visit) { Recipe().visit_train_fields(visit); }}};
}

// 0: no limit.
std::string length_text(std::int64_t limit) {
  return limit > 0 ? base::format("at most %ld tokens", limit) : "any length";
}

bool is_extractive(const std::filesystem::path& directory) {
  return base::kind_of_model(directory) == kExtractiveKind;
}

std::string encoder_text(const text::Tokenizer& tokenizer, const model::EncoderConfig& encoder) {
  return base::format("vocabulary %ld\nencoder %s, layers %ld, width %ld, heads %ld\n",
                      tokenizer.vocabulary_size(), encoder.mixer.name().c_str(), encoder.layers,
                      encoder.width, encoder.heads);
}

std::string inspect_abstractive(const std::filesystem::path& directory) {
  const auto content = SummarizerContent::load(directory);
  const auto& config = content.model->config();
  const auto& search = content.search;
  const bool beam = search.method == SearchMethod::kBeam;
  return "kind summarizer\n" + encoder_text(*content.tokenizer, config.source.encoder) +
         base::format("decoder layers %ld, %s\n", config.decoder.layers,
                      config.decoder.copy ? "copies from the document" : "does not copy") +
         "documents of " + length_text(content.data_config.max_source_tokens) + ", summaries of " +
         length_text(search.max_tokens) + "\nsearch " + base::word_of(search.method) +
         (beam ? base::format(", beams %ld\n", search.beams) : std::string("\n")) +
         train::parameter_table(content.model->parameters());
}

std::string selection_text(const SelectionConfig& selection) {
  std::string limits;
  const auto add = [&](const std::string& limit) {
    limits += (limits.empty() ? "" : ", ") + limit;
  };
  if (selection.sentences == 1) add("one sentence");
  if (selection.sentences > 1) add(base::format("%ld sentences", selection.sentences));
  if (selection.words > 0) add(base::format("%ld words in all", selection.words));
  if (selection.ratio > 0) add(base::format("%.3g of the document's words", selection.ratio));
  return "summaries of at most " + limits + "\nredundancy control " +
         base::word_of(selection.redundancy) + "\n";
}

std::string inspect_extractive(const std::filesystem::path& directory) {
  const auto content = ExtractiveContent::load(directory);
  const auto& config = content.model->config();
  return "kind extractive summarizer\n" + encoder_text(*content.tokenizer, config.source.encoder) +
         base::format("encoder of sentences, layers %ld\n", config.sentences.layers) +
         "documents of " + length_text(content.data_config.max_source_tokens) + "\n" +
         selection_text(content.selection) + train::parameter_table(content.model->parameters());
}

std::string inspect(const std::filesystem::path& directory) {
  return is_extractive(directory) ? inspect_extractive(directory) : inspect_abstractive(directory);
}

Evaluation evaluate_abstractive(const train::EvaluationRequest& request) {
  auto content = SummarizerContent::load(request.model);
  auto& config = content.data_config;
  const auto assigned = base::ConfigTree::from_assignments(request.set, {"data", "search"});
  assigned.read_section("data", config);
  assigned.read_section("search", content.search);
  const auto& model = *content.model;
  config.max_source_tokens = model.config().source.token_limit(config.max_source_tokens);
  config.max_target_tokens = model.config().summary_limit(config.max_target_tokens);
  const auto pairs = read_pairs(config, request.data, *content.tokenizer);
  const auto texts = read_texts(config, request.data, pairs);
  return evaluate(model, *content.tokenizer, content.search, pairs, texts);
}

Evaluation evaluate_extractive(const train::EvaluationRequest& request) {
  auto content = ExtractiveContent::load(request.model);
  auto& config = content.data_config;
  const auto assigned = base::ConfigTree::from_assignments(request.set, {"data", "selection"});
  assigned.read_section("data", config);
  content.selection.override_by(assigned);
  const auto& model = *content.model;
  config.max_source_tokens = model.config().source.token_limit(config.max_source_tokens);
  const auto pairs = read_pairs(config, request.data, *content.tokenizer, sentence_pairs());
  return evaluate(model, *content.tokenizer, content.selection, pairs,
                  read_texts(config, request.data, pairs),
                  {.document_tokens = config.max_source_tokens});
}

train::EvaluationReport evaluate_model(const train::EvaluationRequest& request,
                                       const train::NoticeSink&) {
  if (!request.errors.empty()) {
    throw std::invalid_argument("--errors is for classifiers, but " + request.model.string() +
                                " contains a summarizer");
  }
  if (!request.ensemble.empty() || !request.predictions.empty()) {
    throw std::invalid_argument("--ensemble and --predictions are for recommenders, but " +
                                request.model.string() + " contains a summarizer");
  }
  if (request.data.empty()) {
    throw std::invalid_argument("give the files on which to evaluate " + request.model.string());
  }
  const kernels::ComputeScope scope(request.options.precision, request.options.threads);
  const auto result =
      is_extractive(request.model) ? evaluate_extractive(request) : evaluate_abstractive(request);
  return {evaluation_table(result), evaluation_json(result)};
}

std::shared_ptr<const base::ModelService> serve(const train::ServiceRequest& request) {
  if (!request.items.empty()) {
    throw std::invalid_argument(request.model.string() +
                                " contains a summarizer, which has no items; "
                                "remove --items");
  }
  if (is_extractive(request.model)) {
    return std::make_shared<ExtractiveService>(
        ExtractiveSummarizer::load(request.model, request.options));
  }
  return std::make_shared<SummarizerService>(Summarizer::load(request.model, request.options));
}

}  // namespace

train::TaskKind task_kind() {
  return {.name = Recipe().task(),
          .models = {kModelKind, kExtractiveKind},
          .commands = {"summarize"},
          .read_recipe = read_recipe,
          .sections = sections,
          .inspect = inspect,
          .evaluate = evaluate_model,
          .serve = serve,
          .export_parts = nullptr};
}

}  // namespace fastformer::summarization

#include "fastformer/model/classifier_config.h"

#include <set>
#include <stdexcept>
#include <variant>

#include "fastformer/base/printable.h"

namespace fastformer::model {

void PretrainedFields::visit_fields(base::FieldVisitor& visit) {
  visit("pretrained", folder,
        "folder of a BERT or DistilBERT model, with config.json, model.safetensors or its shards, "
        "and vocab.txt or tokenizer.json; its token vectors replace the embedding",
        base::file_path());
  visit("trainable_layers", trainable_layers,
        "pretrained: number of its last layers that are trained; 0: none; -1: all layers and the "
        "embeddings",
        base::between(-1, 1000));
  visit("pretrained_factor", learning_rate_factor,
        "pretrained: learning rate of its last layer, relative to learning_rate",
        base::between(0, 1000));
  visit("layer_factor", layer_factor,
        "pretrained: learning rate of a layer, relative to that of the next layer",
        base::between(0.01, 1));
  visit("chunk_tokens", chunk_tokens,
        "pretrained: longer documents are read in overlapping chunks of so many tokens, at most "
        "its positions",
        base::between(8, 1 << 20));
  visit("chunk_overlap", chunk_overlap, "pretrained: tokens that two chunks share",
        base::between(0, 1 << 19));
}

void PretrainedFields::validate() const {
  if (chunk_overlap <= (chunk_tokens - 2) / 2) return;
  throw std::invalid_argument("model.chunk_overlap = " + std::to_string(chunk_overlap) +
                              " must be at most half of model.chunk_tokens = " +
                              std::to_string(chunk_tokens) + " without its first and last token");
}

void ClassifierConfig::visit_fields(base::FieldVisitor& visit) {
  text.visit_fields(visit);
  pretrained.visit_fields(visit);
  visit("token_dropout", token_dropout, "fraction of the tokens that are dropped in training",
        base::between(0, 0.99));
}

void ClassifierConfig::validate() const {
  text.validate();
  if (!pretrained) return;
  pretrained.validate();
  if (text.bigram_buckets == 0 && text.max_positions == 0) return;
  throw std::invalid_argument(
      std::string("model.") + (text.bigram_buckets > 0 ? "bigram_buckets" : "max_positions") +
      " is for a model with an embedding of its own; remove it with model.pretrained");
}

ClassifierConfig ClassifierConfig::read(const base::ConfigTree& tree) {
  auto section = tree;
  const auto* folder = tree.find("model", "pretrained");
  const auto* name = folder == nullptr ? nullptr : std::get_if<std::string>(&folder->value);
  BertConfig bert;
  if (name != nullptr && !name->empty()) {
    bert = BertConfig::of_model(tree, *name);
    const auto by_default = [&](const char* key, std::int64_t value) {
      if (!tree.contains("model", key)) section.set("model", key, {value, "model.pretrained"});
    };
    if (!tree.contains("model", "width")) by_default("heads", bert.heads);
    by_default("width", bert.width);
    by_default("max_positions", 0);
    constexpr std::int64_t kFewestPositions = 3;  // [CLS], a token, [SEP]
    if (bert.max_positions < kFewestPositions) {
      throw std::invalid_argument("model.pretrained: the encoder in " + *name + " has " +
                                  std::to_string(bert.max_positions) +
                                  " positions, expected at least " +
                                  std::to_string(kFewestPositions) + "; choose another model");
    }
  }
  auto config =
      section.read_preset_section<ClassifierConfig>("model", [](const ClassifierConfig& named) {
        return ClassifierConfig{.text = text_encoder_preset(named.text.preset), .pretrained = {}};
      });
  config.pretrained.bert = bert;
  return config;
}

void ClassifierLabels::visit_fields(base::FieldVisitor& visit) {
  visit("labels", labels, "classes, in the order of the logits");
  visit("max_tokens", max_tokens, "documents are truncated to this many tokens; 0: no limit",
        base::at_least(0));
  visit("multi_label", multi_label,
        "whether a document has any number of labels, those above the thresholds of "
        "thresholds.json");
  visit("linear_members", linear_members,
        "whether the model has linear members, those of linear.safetensors");
}

void ClassifierLabels::validate() const {
  if (labels.size() < (multi_label ? 1 : 2)) {
    throw std::invalid_argument("classifier.labels has " + std::to_string(labels.size()) +
                                " labels, expected at least " + (multi_label ? "one" : "two"));
  }
  std::set<std::string> distinct;
  for (const auto& label : labels) {
    const bool plain = !label.empty() && !base::has_control_characters(label);
    if (plain && distinct.insert(label).second) continue;
    throw std::invalid_argument(
        "classifier.labels contains '" + base::excerpt(label) +
        (plain ? "' twice; labels must be distinct"
               : "'; labels must not be empty or contain control characters"));
  }
}

}  // namespace fastformer::model

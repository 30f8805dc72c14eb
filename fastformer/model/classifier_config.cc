#include "fastformer/model/classifier_config.h"

#include <set>
#include <stdexcept>

#include "fastformer/base/printable.h"

namespace fastformer::model {

void ClassifierConfig::visit_fields(base::FieldVisitor& visit) {
  text.visit_fields(visit);
  visit("token_dropout", token_dropout, "fraction of the tokens that are dropped in training",
        base::between(0, 0.99));
}

ClassifierConfig ClassifierConfig::read(const base::ConfigTree& tree) {
  return tree.read_preset_section<ClassifierConfig>("model", [](const ClassifierConfig& named) {
    return ClassifierConfig{.text = text_encoder_preset(named.text.preset)};
  });
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

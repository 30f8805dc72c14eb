#include "fastformer/summarization/extractive/selection_config.h"

#include <stdexcept>
#include <string>

namespace fastformer::summarization {

void SelectionConfig::visit_fields(base::FieldVisitor& visit) {
  visit("sentences", sentences, "most sentences of a summary; 0: no limit",
        base::between(0, 1 << 20));
  visit("words", words,
        "most words of a summary; sentences that do not fit are skipped; 0: no limit",
        base::between(0, 1 << 30));
  visit("ratio", ratio, "most words of a summary as a share of the document's; 0: no limit",
        base::between(0, 1));
  visit("redundancy", redundancy,
        "which sentences are skipped: none; trigram: those that share three consecutive words with "
        "a chosen one; mmr: by maximal marginal relevance");
  visit("mmr_weight", mmr_weight,
        "mmr: weight of the overlap with the chosen sentences, against that of the score",
        base::between(0, 1));
  visit("tune", tune,
        "training replaces sentences and redundancy, and limits words, by the best ROUGE on the "
        "validation part; false: keep the values of the recipe");
}

void SelectionConfig::override_by(const base::ConfigTree& tree) {
  const char* section = "selection";
  const auto has = [&](const char* key) { return tree.contains(section, key); };
  if (has("sentences") || has("words") || has("ratio")) {
    sentences = words = 0;
    ratio = 0;
  }
  tree.read_section(section, *this);
}

void SelectionConfig::validate() const {
  const auto check = [](bool right, const char* field, const char* range) {
    if (!right) throw std::invalid_argument(std::string(field) + " must be " + range);
  };
  check(sentences >= 0, "selection.sentences", "at least 0");
  check(words >= 0, "selection.words", "at least 0");
  check(ratio >= 0 && ratio <= 1, "selection.ratio", "from 0 to 1");
  check(mmr_weight >= 0 && mmr_weight <= 1, "selection.mmr_weight", "from 0 to 1");
  if (sentences == 0 && words == 0 && ratio == 0) {
    throw std::invalid_argument(
        "selection.sentences, selection.words and selection.ratio are all 0, so that a summary "
        "would be the document; set at least one");
  }
}

}  // namespace fastformer::summarization

#include "fastformer/linear/linear_config.h"

#include <stdexcept>

#include "fastformer/linear/linear_member.h"
#include "fastformer/linear/ngrams.h"

namespace fastformer::linear {

void LinearConfig::visit_fields(base::FieldVisitor& visit) {
  visit("members", members,
        "linear classifiers of n-grams whose scores are combined with those of the network: tfidf, "
        "a linear SVM of TF-IDF weights; naive_bayes, logistic regression of log-count ratios, for "
        "up to 10 classes; []: the network alone");
  visit("words", words, "longest sequence of words; validation may choose a shorter one",
        base::between(1, NgramConfig::kMaximumWords));
  visit("characters", characters,
        "longest sequence of characters within a word; 0: none; -1: 5 if the training texts have "
        "at most 24 MB, otherwise none; validation may choose none",
        base::between(-1, NgramConfig::kMaximumCharacters));
  visit("c", c, "inverse of the strength of the L2 penalty; 0: chosen by validation",
        base::at_least(0));
}

void LinearConfig::validate() const {
  for (std::size_t i = 0; i < members.size(); ++i) {
    base::parse_word<Weighting>(members[i], "linear.members");
    for (std::size_t j = 0; j < i; ++j) {
      if (members[i] == members[j]) {
        throw std::invalid_argument("linear.members lists '" + members[i] +
                                    "' twice; list each member once");
      }
    }
  }
}

}  // namespace fastformer::linear

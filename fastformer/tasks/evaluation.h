#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fastformer/data/batch_sampler.h"
#include "fastformer/data/token_set.h"
#include "fastformer/tasks/metrics.h"
#include "fastformer/tasks/text_classifier.h"

namespace fastformer::tasks {

/// How a model does on a labelled set.
struct Evaluation {
  ConfusionMatrix confusion;
  double loss = 0;  ///< mean cross-entropy in nats, without smoothing, weights or adjustment
  std::vector<std::int32_t> predicted;  ///< the class of each row of the set
};

/// Runs the model over the whole set, in batches of like length. Throws std::invalid_argument for
/// an empty set or a row without label.
///
///   const auto result = tasks::evaluate(model, dataset.test);
///   result.confusion.accuracy();
Evaluation evaluate(const TextClassifier& model, const data::TokenSet& set);

/// Accuracy, macro-F1 and a row of precision, recall, F1 and support for each class, for people.
std::string evaluation_table(const Evaluation& evaluation, const std::vector<std::string>& labels);
/// The same and the confusion matrix as JSON: keys accuracy, macro_f1, loss, examples, classes
/// ({label: {precision, recall, f1, support}}), confusion ([label][predicted]).
std::string evaluation_json(const Evaluation& evaluation, const std::vector<std::string>& labels);

}  // namespace fastformer::tasks

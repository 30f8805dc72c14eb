#pragma once

#include <string>
#include <utility>
#include <vector>

namespace fastformer {

/// The prediction for one text.
struct Prediction {
  std::string label;                  ///< the first of `labels`; empty if there is none
  std::vector<double> probabilities;  ///< in the order of the model's labels
  /// The predicted labels, the most probable first: one, or if documents have several labels any
  /// number of them, those whose probability is at least their threshold.
  std::vector<std::string> labels = {};
};

/// Weights that explain a prediction. Attention weights are averaged over the heads.
struct Explanation {
  struct Layer {
    std::vector<double> query_weights;  ///< alpha of each token, sums to 1; empty without alpha
    std::vector<double> key_weights;    ///< beta of each token, sums to 1; empty without beta
  };
  Prediction prediction;
  std::vector<std::string> tokens;
  std::vector<double> pooling_weights;  ///< of each token; sums to 1
  std::vector<Layer> layers;
  /// What each n-gram adds to the logit of the most probable label, largest absolute value
  /// first; empty without linear members.
  std::vector<std::pair<std::string, double>> ngrams;
};

}  // namespace fastformer

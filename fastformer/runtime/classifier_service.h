#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fastformer/base/model_service.h"
#include "fastformer/runtime/classifier.h"

namespace fastformer::runtime {

/// A classifier for a server. Operations, each with {"texts": [...]}:
///
///   classify  also "top_k": number of labels, and "explain": true or false. Each result is
///             {"label", "probabilities": [{"label", "probability"}]}, most probable first, with
///             "labels" instead of "label" if a text has several; explained, also "tokens" and
///             "ngrams" as in explanation_json().
///   embed     Each result is the list of the numbers of a vector.
class ClassifierService final : public base::ModelService {
 public:
  explicit ClassifierService(std::shared_ptr<const Classifier> classifier)
      : classifier_(std::move(classifier)) {}

  std::string kind() const override { return "classifier"; }
  std::vector<std::string> operations() const override { return {"classify", "embed"}; }
  std::string description() const override;
  bool streams(std::string_view) const override { return false; }
  bool joins(std::string_view) const override { return true; }
  void answer(std::string_view operation, std::span<base::Exchange* const> exchanges,
              const base::RequestLimits& limits) const override;

 private:
  std::shared_ptr<const Classifier> classifier_;
};

}  // namespace fastformer::runtime

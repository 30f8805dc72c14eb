#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fastformer/base/model_service.h"
#include "fastformer/recommendation/recommender.h"

namespace fastformer::recommendation {

/// {"id", "score", "title"}, and "clicks" if the contribution of each click is known.
nlohmann::ordered_json recommendation_json(const Recommendation& item);

/// A recommender with its items, for a server. Operations:
///
///   recommend  {"users": [{"history": [ids], "candidates": [ids]}], "top_k", "explain",
///              "exclude_seen"}; each result is {"items": [recommendation_json()], "cold",
///              "unknown", "unknown_candidates"}, as in RecommendationOutput.
///   embed      {"texts": [titles]}; each result is the list of the numbers of a vector.
class RecommenderService final : public base::ModelService {
 public:
  RecommenderService(Recommender recommender, Catalogue catalogue)
      : recommender_(std::move(recommender)), catalogue_(std::move(catalogue)) {}

  std::string kind() const override { return "recommender"; }
  std::vector<std::string> operations() const override { return {"recommend", "embed"}; }
  std::string description() const override;
  bool streams(std::string_view) const override { return false; }
  bool joins(std::string_view operation) const override { return operation == "embed"; }
  void answer(std::string_view operation, std::span<base::Exchange* const> exchanges,
              const base::RequestLimits& limits) const override;

 private:
  void recommend(std::span<base::Exchange* const> exchanges,
                 const base::RequestLimits& limits) const;
  void embed(std::span<base::Exchange* const> exchanges, const base::RequestLimits& limits) const;

  Recommender recommender_;
  Catalogue catalogue_;
};

}  // namespace fastformer::recommendation

#include "fastformer/cli/answers/recommendation_output.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "fastformer/base/format.h"
#include "fastformer/base/json_text.h"
#include "fastformer/base/printable.h"
#include "fastformer/recommendation/recommender_service.h"

namespace fastformer::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kNamedUnknown = 5;

}  // namespace

void RecommendationOutput::write(const UserRequest& request, const Recommendations& result) {
  ++row_;
  if (format_ == OutputFormat::kJsonl) return write_json(request, result);
  if (row_ == 1 && format_ == OutputFormat::kCsv) {
    std::vector<std::string> names = {"user", "cold", "unknown"};
    for (std::size_t rank = 0; rank < top_; ++rank) {
      for (const auto* name : {"item", "score", "title"}) names.push_back(ranked(name, rank));
    }
    write_cells(out_, format_, names);
  }
  std::vector<std::string> cells = {
      request.user, result.cold ? "true" : "false",
      std::to_string(result.unknown.size() + result.unknown_candidates.size())};
  for (const auto& item : result.items) {
    cells.push_back(item.id);
    cells.push_back(base::format("%.4f", item.score));
    cells.push_back(item.title);
  }
  cells.resize(3 + 3 * top_);
  write_cells(out_, format_, cells);
}

void RecommendationOutput::write_json(const UserRequest& request, const Recommendations& result) {
  Json json = {{"row", row_},
               {"user", request.user},
               {"cold", result.cold},
               {"unknown", result.unknown},
               {"unknown_candidates", result.unknown_candidates},
               {"items", Json::array()}};
  for (const auto& item : result.items)
    json["items"].push_back(recommendation::recommendation_json(item));
  out_ << base::json_text(json) << '\n';
}

void RequestCounts::add(const UserRequest& request, const Catalogue& catalogue) {
  const auto unknown_of = [&](const std::vector<std::string>& ids) {
    std::int64_t count = 0;
    for (const auto& id : ids) {
      if (catalogue.contains(id)) continue;
      ++count;
      if (some_unknown_.size() < kNamedUnknown) some_unknown_.insert(id);
    }
    return count;
  };
  ++users_;
  const auto clicks = unknown_of(request.history);
  unknown_clicks_ += clicks;
  if (clicks == std::ssize(request.history)) ++cold_;
  if (request.candidates) unknown_candidates_ += unknown_of(*request.candidates);
}

std::vector<std::string> RequestCounts::notices(const std::string& items) const {
  std::vector<std::string> notices;
  if (unknown_clicks_ + unknown_candidates_ > 0) {
    std::string names;
    for (const auto& id : some_unknown_) {
      names += (names.empty() ? "" : ", ") + base::excerpt(id);
    }
    notices.push_back(
        base::format("%s lacks %lld ids of the histories and %lld candidates, which "
                     "are ignored; among them %s",
                     items.c_str(), static_cast<long long>(unknown_clicks_),
                     static_cast<long long>(unknown_candidates_), names.c_str()));
  }
  if (cold_ > 0) {
    notices.push_back(base::format("%lld of %lld users are cold: they have no click that %s has",
                                   static_cast<long long>(cold_), static_cast<long long>(users_),
                                   items.c_str()));
  }
  return notices;
}

}  // namespace fastformer::cli

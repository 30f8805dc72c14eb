#include "fastformer/recommendation/readers/user_requests.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "fastformer/base/ascii.h"
#include "fastformer/base/format.h"
#include "fastformer/base/printable.h"
#include "fastformer/data/delimited_records.h"
#include "fastformer/recommendation/readers/formats.h"

namespace fastformer::recommendation {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* kUser = "user";
constexpr const char* kHistory = "history";
constexpr const char* kCandidates = "candidates";

RequestFormat format_of(const std::string& input) {
  if (input == "-") return RequestFormat::kJsonl;
  const auto name = base::ascii_lowercase(fs::path(input).filename().string());
  for (const auto* ending : {".jsonl", ".ndjson", ".json"}) {
    if (name.ends_with(ending) || name.find(std::string(ending) + ".") != std::string::npos) {
      return RequestFormat::kJsonl;
    }
  }
  if (fs::is_directory(input) || name.ends_with(".zip") || name.find(".tsv") != std::string::npos) {
    return RequestFormat::kMind;
  }
  throw std::invalid_argument(input +
                              ": its name does not tell whether it is JSON Lines or MIND's "
                              "behaviors.tsv; say so with --format jsonl or --format mind");
}

std::string id_of(const Json& value, const char* field, const std::string& where) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_integer()) return value.dump();
  throw std::invalid_argument(where + ": the field '" + field + "' holds a JSON " +
                              value.type_name() +
                              " where an id was expected; write a text or a whole number");
}

std::vector<std::string> ids_of(const Json& value, const char* field, const std::string& where) {
  if (value.is_null()) return {};
  if (!value.is_array()) {
    throw std::invalid_argument(where + ": the field '" + field + "' is a JSON " +
                                value.type_name() +
                                ", expected a list of ids such as [\"N1\", \"N2\"]");
  }
  std::vector<std::string> ids;
  for (const auto& id : value) ids.push_back(id_of(id, field, where));
  return ids;
}

// A misspelled field would be ignored without a word.
void check_fields(const Json& object, const std::string& where) {
  const std::vector<std::string> known = {kUser, kHistory, kCandidates};
  for (const auto& name : data::field_names(object)) {
    if (std::ranges::find(known, name) != known.end()) continue;
    throw std::invalid_argument(where + ": has the unknown field '" + base::excerpt(name) + "'" +
                                base::suggestion(name, known));
  }
}

}  // namespace

UserRequestReader::UserRequestReader(const std::string& input, RequestFormat format,
                                     const DataConfig& config) {
  if (format == RequestFormat::kAuto) format = format_of(input);
  if (format == RequestFormat::kJsonl) {
    objects_.emplace(input, config.encoding);
  } else {
    impressions_.emplace(open_mind_behaviors(input, config));
  }
}

bool UserRequestReader::next(UserRequest& request) {
  request = {};
  return objects_ ? next_object(request) : next_impression(request);
}

std::vector<UserRequest> UserRequestReader::next_batch(std::size_t count) {
  std::vector<UserRequest> requests;
  while (!ended_ && requests.size() < count) {
    UserRequest request;
    ended_ = !next(request);
    if (!ended_) requests.push_back(std::move(request));
  }
  return requests;
}

std::string UserRequestReader::notice() const {
  return objects_ ? objects_->notice() : impressions_->notice();
}

bool UserRequestReader::next_object(UserRequest& request) {
  Json object;
  if (!objects_->next(object)) return false;
  const auto where = objects_->where();
  check_fields(object, where);
  if (const auto user = object.find(kUser); user != object.end() && !user->is_null()) {
    request.user = id_of(*user, kUser, where);
  }
  request.history = ids_of(data::required_field(object, kHistory, where), kHistory, where);
  const auto candidates = object.find(kCandidates);
  if (candidates != object.end() && !candidates->is_null()) {
    request.candidates = ids_of(*candidates, kCandidates, where);
  }
  return true;
}

bool UserRequestReader::next_impression(UserRequest& request) {
  std::string line;
  do {
    if (!impressions_->next(line)) return false;
  } while (line.empty());
  split_mind_behaviors(line, impressions_->where(), cells_);
  request.user = cells_[1];
  data::split_cells(cells_[3], ' ', words_);
  for (const auto word : words_) {
    if (!word.empty()) request.history.emplace_back(word);
  }
  std::vector<std::string> shown;
  data::split_cells(cells_[4], ' ', words_);
  for (auto word : words_) {
    if (word.empty()) continue;
    const bool labelled = word.ends_with("-0") || word.ends_with("-1");
    if (labelled != labelled_.value_or(labelled)) {
      throw std::invalid_argument(impressions_->where() + ": the shown item '" +
                                  base::excerpt(word) +
                                  (labelled ? "' has a label" : "' has no label") +
                                  ", unlike the items before it; write all with or all without");
    }
    labelled_ = labelled;
    shown.emplace_back(word.substr(0, word.size() - (labelled ? 2 : 0)));
  }
  if (!shown.empty()) request.candidates = std::move(shown);
  return true;
}

}  // namespace fastformer::recommendation

#include "fastformer/base/request_body.h"

#include <utility>

#include "fastformer/base/printable.h"
#include "fastformer/base/strict_json.h"

namespace fastformer::base {

using nlohmann::json;

namespace {

// With an article; texts are called so in all messages.
std::string kind_of(const json& value) {
  switch (value.type()) {
    case json::value_t::null:
      return "null";
    case json::value_t::object:
      return "an object";
    case json::value_t::array:
      return "a list";
    case json::value_t::string:
      return "a text";
    case json::value_t::boolean:
      return "true or false";
    default:
      return "a number";
  }
}

json parsed(std::string_view text, const RequestLimits& limits) {
  if (text.empty()) throw std::invalid_argument("the body is empty; expected a JSON object");
  // A user has two members. Names that were chosen to collide in a table take time with the square
  // of their number.
  constexpr std::size_t kOthers = 64;
  return parse_strict_json<json>(text, "the body", 2 * limits.inputs + kOthers);
}

}  // namespace

RequestBody::RequestBody(std::string_view text, const RequestLimits& limits)
    : RequestBody(parsed(text, limits), "", limits) {}

RequestBody::RequestBody(json object, std::string where, const RequestLimits& limits)
    : object_(std::move(object)), where_(std::move(where)), limits_(limits) {
  if (!object_.is_object()) {
    throw std::invalid_argument(own_place() + " is " + kind_of(object_) +
                                "; expected a JSON object");
  }
}

std::string RequestBody::own_place() const {
  return where_.empty() ? "the body" : where_.substr(0, where_.size() - 1);
}

json* RequestBody::find(const std::string& name) {
  known_.insert(name);
  const auto found = object_.find(name);
  return found == object_.end() ? nullptr : &*found;
}

json& RequestBody::list(const std::string& name, const char* of) {
  auto* value = find(name);
  if (value == nullptr || !value->is_array()) {
    throw std::invalid_argument(place(name) + " is " +
                                (value == nullptr ? "missing" : kind_of(*value)) +
                                "; expected a list of " + of);
  }
  return *value;
}

// A list with an element for each input: at least one, and at most RequestLimits::inputs.
json& RequestBody::inputs(const std::string& name, const char* of) {
  auto& values = list(name, of);
  if (values.empty()) throw std::invalid_argument(place(name) + " is empty; expected " + of);
  if (values.size() > limits_.inputs) {
    throw TooLarge(place(name) + " has " + std::to_string(values.size()) + " " + of +
                   "; the limit for a request is " + std::to_string(limits_.inputs));
  }
  return values;
}

std::vector<std::string> RequestBody::take_texts(const std::string& name, json& values) const {
  std::vector<std::string> texts;
  texts.reserve(values.size());
  for (auto& value : values) {
    const auto where = [&] { return place(name) + "[" + std::to_string(texts.size()) + "]"; };
    if (!value.is_string()) {
      throw std::invalid_argument(where() + " is " + kind_of(value) + "; expected a text");
    }
    auto& text = value.get_ref<std::string&>();
    if (text.size() > limits_.text_bytes) {
      throw TooLarge(where() + " has " + std::to_string(text.size()) +
                     " bytes; the limit for a text is " + std::to_string(limits_.text_bytes));
    }
    texts.push_back(std::move(text));
  }
  return texts;
}

std::vector<std::string> RequestBody::texts(const std::string& name) {
  return take_texts(name, inputs(name, "texts"));
}

void RequestBody::objects(const std::string& name, const std::function<void(RequestBody&)>& read) {
  auto& values = inputs(name, "objects");
  for (std::size_t i = 0; i < values.size(); ++i) {
    RequestBody element(std::move(values[i]), place(name) + "[" + std::to_string(i) + "].",
                        limits_);
    read(element);
    element.check_all_read();
  }
}

std::optional<std::vector<std::string>> RequestBody::ids(const std::string& name) {
  if (find(name) == nullptr) return std::nullopt;
  return take_texts(name, list(name, "ids"));
}

std::optional<std::int64_t> RequestBody::integer(const std::string& name, std::int64_t least,
                                                 std::int64_t most) {
  const auto* value = find(name);
  if (value == nullptr) return std::nullopt;
  // A number beyond 2^63 is stored unsigned.
  const bool fits = value->is_number_integer() && *value >= least && *value <= most;
  if (!fits) {
    throw std::invalid_argument(place(name) + " is " + excerpt(value->dump(), 40) +
                                "; expected an integer from " + std::to_string(least) + " to " +
                                std::to_string(most));
  }
  return value->get<std::int64_t>();
}

std::optional<bool> RequestBody::flag(const std::string& name) {
  const auto* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_boolean()) {
    throw std::invalid_argument(place(name) + " is " + kind_of(*value) +
                                "; expected true or false");
  }
  return value->get<bool>();
}

std::optional<std::string> RequestBody::object(const std::string& name) {
  const auto* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_object()) {
    throw std::invalid_argument(place(name) + " is " + kind_of(*value) +
                                "; expected a JSON object");
  }
  return value->dump();
}

void RequestBody::check_all_read() const {
  for (const auto& [name, value] : object_.items()) {
    if (known_.contains(name)) continue;
    std::string names;
    for (const auto& known : known_) names += (names.empty() ? "" : ", ") + known;
    throw std::invalid_argument(own_place() + " has a member '" + excerpt(name) +
                                "'; expected only " + names);
  }
}

std::string json_results(std::span<const std::string> results) {
  std::string text = "{\"results\":[";
  for (const auto& result : results) {
    if (&result != results.data()) text += ',';
    text += result;
  }
  return text + "]}";
}

}  // namespace fastformer::base

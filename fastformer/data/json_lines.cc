#include "fastformer/data/json_lines.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "fastformer/base/format.h"
#include "fastformer/base/printable.h"
#include "fastformer/data/line_stream.h"

namespace fastformer::data {
namespace {

using Json = nlohmann::json;

}  // namespace

bool JsonLines::next(Json& object) {
  do {
    if (!lines_.next(line_)) return false;
  } while (line_.find_first_not_of(" \t") == std::string::npos);
  check_text(line_, where());
  try {
    object = Json::parse(line_);
  } catch (const Json::parse_error& error) {
    throw std::invalid_argument(where() + ": is not valid JSON near character " +
                                std::to_string(error.byte) + "; each line must be one JSON object");
  } catch (const Json::out_of_range&) {
    throw std::invalid_argument(where() + ": holds a number that is too large; write it as a text");
  }
  if (!object.is_object()) {
    throw std::invalid_argument(where() + ": is a JSON " + object.type_name() +
                                ", but each line must be one JSON object");
  }
  return true;
}

std::vector<std::string> field_names(const Json& object) {
  std::vector<std::string> names;
  for (const auto& [name, value] : object.items()) names.push_back(name);
  return names;
}

const Json& required_field(const Json& object, const std::string& name, const std::string& where) {
  const auto found = object.find(name);
  if (found == object.end()) {
    throw std::invalid_argument(where + ": has no field '" + base::excerpt(name) + "'" +
                                base::suggestion(name, field_names(object)));
  }
  return *found;
}

std::string lines_of_field(const Json& object, const std::string& name, const std::string& where) {
  const Json& value = required_field(object, name, where);
  if (value.is_null()) return {};
  if (value.is_string()) return value.get<std::string>();
  const auto fail = [&](const Json& part) {
    throw std::invalid_argument(where + ": the field '" + name + "' holds a JSON " +
                                part.type_name() + ", but must be a text or a list of texts");
  };
  if (!value.is_array()) fail(value);
  std::string text;
  for (const auto& line : value) {
    if (!line.is_string()) fail(line);
    if (!text.empty()) text += '\n';
    text += line.get_ref<const std::string&>();
  }
  return text;
}

}  // namespace fastformer::data

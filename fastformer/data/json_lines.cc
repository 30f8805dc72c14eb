#include "fastformer/data/json_lines.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "fastformer/base/format.h"
#include "fastformer/base/printable.h"
#include "fastformer/base/strict_json.h"
#include "fastformer/data/bad_row.h"
#include "fastformer/data/line_stream.h"

namespace fastformer::data {
namespace {

using Json = nlohmann::json;

constexpr const char* kBlank = " \t\r";

// Notes the names of the outermost object in their order, which Json sorts.
class ObjectBuilder : public base::StrictJsonBuilder<Json> {
 public:
  ObjectBuilder(Json& object, std::vector<std::string>& names)
      : StrictJsonBuilder(object), names_(names) {}
  bool key(std::string& name) {
    if (depth() == 1) names_.push_back(name);
    return StrictJsonBuilder::key(name);
  }

 private:
  std::vector<std::string>& names_;
};

}  // namespace

bool JsonLines::next_line() {
  do {
    if (!lines_.next(line_)) return false;
  } while (line_.find_first_not_of(kBlank) == std::string::npos);
  return true;
}

bool JsonLines::next_text(std::string& text) {
  if (form_ == Form::kArray) return next_of_array(text);
  if (form_ == Form::kEnded || !next_line()) return false;
  first_line_ = lines_.line_number();
  if (form_ == Form::kUnknown) {
    form_ = Form::kLines;
    at_ = line_.find_first_not_of(kBlank);
    if (line_[at_] == '[') {
      form_ = Form::kArray;
      ++at_;
      return next_of_array(text);
    }
  }
  text = line_;
  return true;
}

// Goes to the next character that is neither blank nor a comma; false at the end of the file.
bool JsonLines::skip_to_object() {
  while ((at_ = line_.find_first_not_of(" \t\r,", at_)) == std::string::npos) {
    if (!lines_.next(line_)) {
      throw std::invalid_argument(lines_.name() +
                                  ": ends before its JSON array is closed; the file is incomplete");
    }
    at_ = 0;
  }
  return line_[at_] != ']';
}

// An element of the array ends where as many brackets are closed as were opened.
bool JsonLines::next_of_array(std::string& text) {
  if (!skip_to_object()) {
    form_ = Form::kEnded;
    return false;
  }
  first_line_ = lines_.line_number();
  text.clear();
  int depth = 0;
  bool quoted = false, escaped = false;
  while (true) {
    const std::size_t begin = at_;
    for (; at_ < line_.size(); ++at_) {
      const char c = line_[at_];
      if (quoted) {
        quoted = escaped || c != '"';
        escaped = !escaped && c == '\\';
        continue;
      }
      if (depth == 0 && (c == ',' || c == ']')) break;
      if (c == '"') quoted = true;
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
      if (depth == 0 && c == '}') {
        ++at_;
        break;
      }
    }
    text.append(line_, begin, at_ - begin);
    if (text.size() > kMaximumRecordBytes) {
      throw std::invalid_argument(where() +
                                  ": is a JSON object larger than 64 MB, the limit for a record");
    }
    if (at_ < line_.size() || (depth == 0 && !quoted)) return true;
    text += ' ';
    if (!lines_.next(line_)) skip_to_object();
    at_ = 0;
  }
}

bool JsonLines::next(Json& object) {
  if (!next_text(text_)) return false;
  names_.clear();
  const auto place = where();
  ObjectBuilder builder(object, names_);
  try {
    Json::sax_parse(text_, &builder);
  } catch (const Json::parse_error& error) {
    throw BadRow(place + ": is not valid JSON near character " + std::to_string(error.byte) +
                 "; each line must be one JSON object, or the file one array of objects");
  } catch (const Json::out_of_range&) {
    throw BadRow(place + ": contains a number that is too large; write it as a string");
  } catch (const std::invalid_argument& error) {
    throw BadRow(place + ": " + error.what());
  }
  if (!object.is_object()) {
    throw BadRow(place + ": is a JSON " + object.type_name() +
                 ", but each line must be one JSON object, or the file one array of objects");
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

std::string lines_of_value(const Json& value, const std::string& name, const std::string& where) {
  if (value.is_null()) return {};
  if (value.is_string()) return value.get<std::string>();
  const auto fail = [&](const Json& part) {
    throw std::invalid_argument(where + ": the field '" + name + "' is a JSON " + part.type_name() +
                                ", but must be a string or a list of strings");
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

std::string lines_of_field(const Json& object, const std::string& name, const std::string& where) {
  return lines_of_value(required_field(object, name, where), name, where);
}

}  // namespace fastformer::data

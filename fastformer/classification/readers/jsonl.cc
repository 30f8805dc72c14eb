#include <cmath>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "fastformer/base/format.h"
#include "fastformer/base/strict_json.h"
#include "fastformer/classification/data_config.h"
#include "fastformer/classification/readers/formats.h"
#include "fastformer/data/bad_row.h"
#include "fastformer/data/json_lines.h"

namespace fastformer::classification {
namespace {

using Json = nlohmann::json;

// Whole numbers lose their ".0", so that 5 and 5.0 are one class.
std::string number_text(const Json& value) {
  if (value.is_number_float()) {
    const double number = value.get<double>();
    constexpr double kExact = 9007199254740992.0;
    if (std::trunc(number) == number && std::fabs(number) < kExact) {
      return std::to_string(static_cast<std::int64_t>(number));
    }
  }
  return value.dump();
}

std::string scalar_text(const Json& value, const std::string& name, const std::string& where) {
  if (value.is_null()) return {};
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number()) return number_text(value);
  if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
  throw data::BadRow(where + ": the field '" + name + "' is an " + value.type_name() +
                     ", but must be a string, a number or true/false");
}

class JsonlReader final : public Reader {
 public:
  JsonlReader(const DataConfig& config, const std::filesystem::path& file)
      : config_(config), lines_(file, config.encoding) {}
  bool next(Example& example) override;
  std::vector<Field> fields() const override;
  std::vector<std::string> notices() const override {
    const auto notice = lines_.notice();
    return notice.empty() ? std::vector<std::string>() : std::vector{notice};
  }

 private:
  void check_every_field_was_seen() const;
  void read_labels(const Json& object, Example& example) const;

  DataConfig config_;
  data::JsonLines lines_;
  Json object_;
  bool first_row_ = true;
  std::vector<std::string> names_;  ///< the fields of the first row, for messages
  std::set<std::string> seen_;      ///< the text fields that some row had
};

void JsonlReader::check_every_field_was_seen() const {
  if (first_row_) return;
  for (const auto& name : config_.text_columns) {
    if (!seen_.contains(name)) {
      throw std::invalid_argument(lines_.name() + ": no row has the field '" + name + "'" +
                                  base::suggestion(name, names_));
    }
  }
}

bool JsonlReader::next(Example& example) {
  if (!lines_.next(object_)) {
    check_every_field_was_seen();
    return false;
  }
  example.where = lines_.where();
  if (first_row_) names_ = lines_.names();
  first_row_ = false;
  example.text.clear();
  for (std::size_t i = 0; i < config_.text_columns.size(); ++i) {
    const std::string& name = config_.text_columns[i];
    if (i > 0) example.text += config_.text_columns_separator;
    const auto found = object_.find(name);
    if (found == object_.end()) continue;
    if (seen_.size() < config_.text_columns.size()) seen_.insert(name);
    example.text += scalar_text(*found, name, example.where);
  }
  if (seen_.empty()) {
    throw std::invalid_argument(example.where + ": has no field '" + config_.text_columns.front() +
                                "'" + base::suggestion(config_.text_columns.front(), names_));
  }
  read_labels(object_, example);
  const auto& group = config_.group_column;
  example.group = group.empty() ? std::string()
                                : scalar_text(data::required_field(object_, group, example.where),
                                              group, example.where);
  return true;
}

void JsonlReader::read_labels(const Json& object, Example& example) const {
  example.label.clear();
  const auto field = [&](const std::string& name) -> const Json& {
    return data::required_field(object, name, example.where);
  };
  for (const auto& name : config_.label_columns) {
    if (is_set(scalar_text(field(name), name, example.where), name, example.where)) {
      example.labels.push_back(name);
    }
  }
  const auto& name = config_.label_column;
  if (name.empty()) return;
  const auto& value = field(name);
  if (!value.is_array()) {
    example.label = scalar_text(value, name, example.where);
    split_label(example, config_.label_separator);
    return;
  }
  if (!config_.several_labels()) {
    throw data::BadRow(example.where + ": the field '" + name +
                       "' is a list; set data.multi_label = true if documents have several labels");
  }
  for (const auto& label : value) {
    example.labels.push_back(scalar_text(label, name, example.where));
  }
}

std::vector<Field> JsonlReader::fields() const {
  std::vector<Field> fields;
  for (const auto& name : lines_.names()) {
    const auto& value = object_.at(name);
    fields.push_back({.name = name,
                      .value = value.is_string() ? value.get<std::string>()
                               : value.is_null() ? std::string()
                                                 : value.dump(),
                      .is_json = !value.is_string()});
  }
  return fields;
}

}  // namespace

std::unique_ptr<Reader> open_jsonl(const DataConfig& config, const std::filesystem::path& file) {
  return std::make_unique<JsonlReader>(config, file);
}

}  // namespace fastformer::classification

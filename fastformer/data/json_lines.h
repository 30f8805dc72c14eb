#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "fastformer/data/line_stream.h"

namespace fastformer::data {

/// The objects of a JSON Lines file, or of a file with one JSON array, whose objects may span
/// lines. Blank lines are skipped.
///
///   JsonLines lines("train.jsonl.gz");
///   for (nlohmann::json object; lines.next(object);) use(object, lines.where());
///
/// Throws BadRow that starts with file and line if a line is not JSON, is not an object, or breaks
/// a limit of StrictJsonBuilder; also throws as LineStream does.
class JsonLines {
 public:
  explicit JsonLines(const std::filesystem::path& file, const TextEncoding& encoding = {})
      : lines_(file, encoding) {}

  bool next(nlohmann::json& object);
  /// The names in the object that next() returned last, in their order.
  const std::vector<std::string>& names() const { return names_; }

  std::string where() const { return lines_.where(first_line_); }
  const std::string& name() const { return lines_.name(); }
  /// See LineStream.
  std::string notice() const { return lines_.notice(); }

 private:
  enum class Form : std::uint8_t { kUnknown, kLines, kArray, kEnded };

  bool next_text(std::string& text);
  bool next_line();
  bool next_of_array(std::string& text);
  bool skip_to_object();

  LineStream lines_;
  Form form_ = Form::kUnknown;
  std::string line_, text_;
  std::vector<std::string> names_;
  std::size_t at_ = 0;  ///< in line_, of an array
  std::int64_t first_line_ = 0;
};

/// The names of the fields of an object, for messages.
std::vector<std::string> field_names(const nlohmann::json& object);

/// Returns a field that every object must have. Throws std::invalid_argument that starts with
/// `where` and suggests the nearest field name.
const nlohmann::json& required_field(const nlohmann::json& object, const std::string& name,
                                     const std::string& where);

/// The text of a value: a string, or a list of strings, which are its lines; null is empty. `where`
/// and `name` are for messages.
std::string lines_of_value(const nlohmann::json& value, const std::string& name,
                           const std::string& where);

/// The text of a required field: a string, or a list of strings, which are its lines; null is
/// empty. Throws std::invalid_argument for anything else.
std::string lines_of_field(const nlohmann::json& object, const std::string& name,
                           const std::string& where);

}  // namespace fastformer::data

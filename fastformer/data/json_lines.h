#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "fastformer/data/line_stream.h"

namespace fastformer::data {

/// The objects of a JSON Lines file. Blank lines are skipped.
///
///   JsonLines lines("train.jsonl.gz");
///   for (nlohmann::json object; lines.next(object);) use(object, lines.where());
///
/// Throws std::invalid_argument that starts with file and line for a line that is not UTF-8, no
/// JSON or no object, and what LineStream throws.
class JsonLines {
 public:
  explicit JsonLines(const std::filesystem::path& file) : lines_(file) {}

  bool next(nlohmann::json& object);

  std::string where() const { return lines_.where(); }
  const std::string& name() const { return lines_.name(); }

 private:
  LineStream lines_;
  std::string line_;
};

/// The names of an object's fields, for messages.
std::vector<std::string> field_names(const nlohmann::json& object);

/// A field that every object must have. Throws std::invalid_argument that starts with `where` and
/// names the field that is nearest.
const nlohmann::json& required_field(const nlohmann::json& object, const std::string& name,
                                     const std::string& where);

/// The text of a required field: a string, or a list of strings, which are its lines; null is
/// empty. Throws std::invalid_argument for anything else.
std::string lines_of_field(const nlohmann::json& object, const std::string& name,
                           const std::string& where);

}  // namespace fastformer::data

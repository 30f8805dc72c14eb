#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "fastformer/data/json_lines.h"
#include "fastformer/data/reader.h"

namespace fastformer::data {

/// One JSON object a line; columns are field names. Blank lines are skipped.
///
///   {"reviewText": "Works well", "overall": 5.0, "asin": "B0001"}
///
/// The label may be a text, a number (5.0 is the class "5") or true/false. A text field that some
/// rows lack, or that is null, is empty there; one that no row has is an error.
class JsonlReader final : public Reader {
 public:
  JsonlReader(const DataConfig& config, const std::filesystem::path& file)
      : config_(config), lines_(file) {}
  bool next(Example& example) override;

 private:
  void check_every_field_was_seen() const;

  DataConfig config_;
  JsonLines lines_;
  bool first_row_ = true;
  std::vector<std::string> names_;  ///< the fields of the first row, for messages
  std::set<std::string> seen_;      ///< the text fields that some row had
};

}  // namespace fastformer::data

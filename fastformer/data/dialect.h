#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "fastformer/base/config_field.h"

namespace fastformer::data {

/// How a quote inside a quoted cell is written: "" or \". Auto: as the file shows.
enum class QuoteEscape : std::uint8_t { kAuto, kDoubled, kBackslash };

/// How a delimited file marks its cells.
struct Dialect {
  char delimiter = ',';
  char quote = '"';                            ///< NUL: there are no quotes
  QuoteEscape escape = QuoteEscape::kDoubled;  ///< not kAuto
};

/// What a recipe says of the dialect: fields of [data].
struct DialectConfig {
  std::string delimiter = "auto";
  std::string quote = "auto";
  QuoteEscape quote_escape = QuoteEscape::kAuto;

  void visit_fields(base::FieldVisitor& visit);
  /// Throws std::invalid_argument with one sentence.
  void validate() const;
};

struct DetectedDialect {
  Dialect dialect;
  std::size_t skipped_lines = 0;  ///< 1: the first line is "sep=;"
  std::string notice;             ///< empty where the format says it all
};

/// The dialect of a file that begins with `lines`. What `config` leaves open is detected: a first
/// line "sep=;" names the delimiter; else it is `usual` (that of the format), unless another of
/// , ; tab | gives all records one number of columns where `usual` does not. Cells separated by
/// tabs are not quoted, unless each cell of the first line is, or quotes explain what else would
/// not be a table. A quote inside quotes is doubled, unless only a backslash before it lets all
/// records have one number of columns.
DetectedDialect detect_dialect(const DialectConfig& config, char usual,
                               std::span<const std::string> lines, const std::string& file);

/// "';'", or "tabs".
std::string delimiter_name(char delimiter);

}  // namespace fastformer::data

namespace fastformer::base {
template <>
inline constexpr std::array kWords<data::QuoteEscape> = {"auto", "doubled", "backslash"};
}  // namespace fastformer::base

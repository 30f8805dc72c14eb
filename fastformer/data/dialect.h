#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "fastformer/base/config_field.h"

namespace fastformer::data {

/// How a quote inside a quoted cell is escaped: "" or \"; kAuto: detected in the file.
enum class QuoteEscape : std::uint8_t { kAuto, kDoubled, kBackslash };

/// How a delimited file separates and quotes its cells.
struct Dialect {
  char delimiter = ',';
  char quote = '"';                            ///< NUL: there are no quotes
  QuoteEscape escape = QuoteEscape::kDoubled;  ///< not kAuto
};

/// The dialect in a recipe: fields of section [data].
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
  std::string notice;             ///< empty if the delimiter is the usual one
};

/// Detects what `config` leaves open in the dialect of a file that begins with `lines`. A first
/// line "sep=;" names the delimiter. Otherwise it is `usual`, that of the format, unless another of
/// , ; tab | gives more than nine in ten records the same number of columns, and more than `usual`
/// does. Cells separated by tabs are not quoted, unless every cell of the first line is, or only
/// quotes make the lines a table. A quote inside quotes is doubled, unless only a backslash before
/// it gives all records the same number of columns.
DetectedDialect detect_dialect(const DialectConfig& config, char usual,
                               std::span<const std::string> lines, const std::string& file);

/// The name of a delimiter in messages: "';'" or "tabs".
std::string delimiter_name(char delimiter);

}  // namespace fastformer::data

namespace fastformer::base {
template <>
inline constexpr std::array kWords<data::QuoteEscape> = {"auto", "doubled", "backslash"};
}  // namespace fastformer::base

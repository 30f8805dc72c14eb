#pragma once

#include <string>
#include <string_view>

namespace fastformer::data {

/// A cell of a CSV file (RFC 4180): in quotes where the text holds a comma, a quote, a line end or
/// blanks at its ends.
std::string csv_cell(std::string_view text);

/// The text in one line without tabs, as a cell of a TSV file: tab, line ends and backslash become
/// \t, \n, \r and \\.
std::string tsv_cell(std::string_view text);

}  // namespace fastformer::data

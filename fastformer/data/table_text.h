#pragma once

#include <string>
#include <string_view>

namespace fastformer::data {

/// A cell of a CSV file (RFC 4180), quoted if the text contains a comma, a quote, a line end, or
/// blanks at its start or end.
std::string csv_cell(std::string_view text);

/// A cell of a TSV file, in one line and without tabs: tabs, line ends and backslashes become \t,
/// \n, \r and \\.
std::string tsv_cell(std::string_view text);

}  // namespace fastformer::data

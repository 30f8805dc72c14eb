#include "fastformer/data/debian_index.h"

#include <stdexcept>
#include <string_view>

#include "fastformer/base/ascii.h"
#include "fastformer/data/line_stream.h"

namespace fastformer::data {
namespace {

std::string_view trim(std::string_view text) { return base::trimmed(text, " \t"); }

void append_line(std::string& description, std::string_view line, std::string_view package) {
  if (line == package) return;
  if (!description.empty()) description += '\n';
  if (line != ".") description += line;  // a lone dot is how an empty line is written
}

}  // namespace

void DebianIndex::add_line(DebianPackage& package) {
  if (line_.front() == ' ' || line_.front() == '\t') {
    if (in_description_) append_line(package.description, trim(line_), package.name);
    return;
  }
  const std::size_t colon = line_.find(':');
  if (colon == std::string::npos) {
    throw std::invalid_argument(lines_.where() +
                                ": is not a line of a package index, expected \"Field: value\" or "
                                "a continuation that begins with a space");
  }
  const auto name = std::string_view(line_).substr(0, colon);
  const auto value = trim(std::string_view(line_).substr(colon + 1));
  in_description_ = name == "Description" || name == "Description-en";
  if (name == "Package") package.name = value;
  if (name == "Source") package.source = value.substr(0, value.find(' '));
  if (name == "Section") package.section = value.substr(value.rfind('/') + 1);
  if (name == "Depends") package.depends = value;
  if (in_description_) append_line(package.description, value, package.name);
}

bool DebianIndex::next(DebianPackage& package) {
  package = {};
  in_description_ = false;
  while (lines_.next(line_)) {
    if (line_.empty()) {
      if (package.line > 0) break;
      continue;
    }
    if (package.line == 0) package.line = lines_.line_number();
    add_line(package);
    if (package.description.size() > kMaximumRecordBytes) {
      throw std::invalid_argument(where(package) +
                                  ": the description is longer than 64 MB, the limit for a record");
    }
  }
  if (package.line > 0 && package.name.empty() && !package.description.empty()) {
    throw std::invalid_argument(where(package) + ": the paragraph has no Package field");
  }
  return package.line > 0;
}

}  // namespace fastformer::data

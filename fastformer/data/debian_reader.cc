#include "fastformer/data/debian_reader.h"

#include <stdexcept>

#include "fastformer/data/utf8.h"

namespace fastformer::data {
namespace {

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

void append_line(std::string& description, std::string_view line, std::string_view package) {
  if (line == package) return;
  if (!description.empty()) description += '\n';
  if (line != ".") description += line;  // a lone dot is how an empty line is written
}

}  // namespace

void DebianReader::add_field(Paragraph& paragraph) {
  if (line_.front() == ' ' || line_.front() == '\t') {
    if (in_description_) append_line(paragraph.description, trim(line_), paragraph.package);
    return;
  }
  const std::size_t colon = line_.find(':');
  if (colon == std::string::npos) {
    throw std::invalid_argument(lines_.where() +
                                ": is no line of a package index, expected \"Field: value\" or a "
                                "continuation that begins with a space");
  }
  const auto name = std::string_view(line_).substr(0, colon);
  const auto value = trim(std::string_view(line_).substr(colon + 1));
  in_description_ = name == "Description" || name == "Description-en";
  if (name == "Package") paragraph.package = value;
  if (name == "Source") paragraph.source = value.substr(0, value.find(' '));
  if (name == "Section") paragraph.section = value.substr(value.rfind('/') + 1);
  if (in_description_) append_line(paragraph.description, value, paragraph.package);
}

bool DebianReader::read_paragraph(Paragraph& paragraph) {
  paragraph = {};
  in_description_ = false;
  while (lines_.next(line_)) {
    if (line_.empty()) {
      if (paragraph.first_line > 0) return true;
      continue;
    }
    check_text(line_, lines_.where());
    if (paragraph.first_line == 0) paragraph.first_line = lines_.line_number();
    add_field(paragraph);
    if (paragraph.description.size() > kMaximumRecordBytes) {
      throw std::invalid_argument(lines_.where(paragraph.first_line) +
                                  ": the description is longer than 64 MB, the most a record may "
                                  "have");
    }
  }
  return paragraph.first_line > 0;
}

bool DebianReader::next(Example& example) {
  Paragraph paragraph;
  do {
    if (!read_paragraph(paragraph)) return false;
  } while (paragraph.description.empty());
  example.where = lines_.where(paragraph.first_line);
  if (paragraph.package.empty()) {
    throw std::invalid_argument(example.where + ": the paragraph has no Package field");
  }
  example.text = std::move(paragraph.description);
  example.label = std::move(paragraph.section);
  example.group =
      paragraph.source.empty() ? std::move(paragraph.package) : std::move(paragraph.source);
  return true;
}

}  // namespace fastformer::data

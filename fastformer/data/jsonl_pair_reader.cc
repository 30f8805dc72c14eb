#include "fastformer/data/jsonl_pair_reader.h"

#include <nlohmann/json.hpp>
#include <string_view>

namespace fastformer::data {
namespace {

void erase_with_blanks(std::string& text, std::string_view mark) {
  for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at)) {
    std::size_t begin = at, end = at + mark.size();
    if (mark.starts_with("</")) {
      while (begin > 0 && text[begin - 1] == ' ') --begin;
    } else {
      while (end < text.size() && text[end] == ' ') ++end;
    }
    text.erase(begin, end - begin);
    at = begin;
  }
}

}  // namespace

bool JsonlPairReader::next(TextPair& pair) {
  nlohmann::json object;
  if (!lines_.next(object)) return false;
  pair.where = lines_.where();
  pair.source = lines_of_field(object, source_field_, pair.where);
  pair.target = lines_of_field(object, target_field_, pair.where);
  return true;
}

bool PubmedReader::next(TextPair& pair) {
  if (!pairs_.next(pair)) return false;
  erase_with_blanks(pair.target, "<S>");
  erase_with_blanks(pair.target, "</S>");
  return true;
}

}  // namespace fastformer::data

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "fastformer/data/json_lines.h"
#include "fastformer/summarization/readers/formats.h"

namespace fastformer::summarization {
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

class JsonlPairReader final : public PairReader {
 public:
  JsonlPairReader(const std::filesystem::path& file, const std::string& source_field,
                  const std::string& target_field, const data::TextEncoding& encoding)
      : lines_(file, encoding), source_field_(source_field), target_field_(target_field) {}
  bool next(TextPair& pair) override;

 private:
  data::JsonLines lines_;
  std::string source_field_, target_field_;
};

class PubmedReader final : public PairReader {
 public:
  PubmedReader(const std::filesystem::path& file, const data::TextEncoding& encoding)
      : pairs_(file, "article_text", "abstract_text", encoding) {}
  bool next(TextPair& pair) override;

 private:
  JsonlPairReader pairs_;
};

bool JsonlPairReader::next(TextPair& pair) {
  nlohmann::json object;
  if (!lines_.next(object)) return false;
  pair.where = lines_.where();
  pair.source = data::lines_of_field(object, source_field_, pair.where);
  pair.target = data::lines_of_field(object, target_field_, pair.where);
  return true;
}

bool PubmedReader::next(TextPair& pair) {
  if (!pairs_.next(pair)) return false;
  erase_with_blanks(pair.target, "<S>");
  erase_with_blanks(pair.target, "</S>");
  return true;
}

}  // namespace

std::unique_ptr<PairReader> open_jsonl(const std::filesystem::path& file,
                                       const std::string& source_field,
                                       const std::string& target_field,
                                       const data::TextEncoding& encoding) {
  return std::make_unique<JsonlPairReader>(file, source_field, target_field, encoding);
}

std::unique_ptr<PairReader> open_pubmed(const std::filesystem::path& file,
                                        const data::TextEncoding& encoding) {
  return std::make_unique<PubmedReader>(file, encoding);
}

}  // namespace fastformer::summarization

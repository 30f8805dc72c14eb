#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "fastformer/data/json_lines.h"
#include "fastformer/summarization/readers/formats.h"

namespace fastformer::summarization {
namespace {

// The text without the marks <S> and </S> of sentences, the blanks behind the first and those
// before the second.
std::string without_marks(std::string_view text) {
  constexpr std::string_view kBegin = "<S>", kEnd = "</S>";
  std::string plain;
  while (!text.empty()) {
    if (text.starts_with(kBegin)) {
      text.remove_prefix(kBegin.size());
      text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    } else if (text.starts_with(kEnd)) {
      text.remove_prefix(kEnd.size());
      plain.erase(plain.find_last_not_of(' ') + 1);
    } else {
      plain += text.front();
      text.remove_prefix(1);
    }
  }
  return plain;
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
  pair.target = without_marks(pair.target);
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

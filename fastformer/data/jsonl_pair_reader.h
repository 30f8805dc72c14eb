#pragma once

#include <filesystem>
#include <string>

#include "fastformer/data/json_lines.h"
#include "fastformer/data/pair_reader.h"

namespace fastformer::data {

/// One JSON object a line, with the document and the summary in two fields. A field is a text, a
/// list of texts (its sentences, which become lines) or null (empty).
///
///   {"article": "It rained all day. ...", "highlights": ["It rained .", "Nobody minded ."]}
class JsonlPairReader final : public PairReader {
 public:
  JsonlPairReader(const std::filesystem::path& file, const std::string& source_field,
                  const std::string& target_field)
      : lines_(file), source_field_(source_field), target_field_(target_field) {}
  bool next(TextPair& pair) override;

 private:
  JsonLines lines_;
  std::string source_field_, target_field_;
};

/// The papers of arXiv and PubMed as Cohan et al. 2018 give them ("A discourse-aware attention
/// model for abstractive summarization of long documents"): lists of sentences in article_text and
/// abstract_text; the marks <S> and </S> around those of the abstract go.
class PubmedReader final : public PairReader {
 public:
  explicit PubmedReader(const std::filesystem::path& file)
      : pairs_(file, "article_text", "abstract_text") {}
  bool next(TextPair& pair) override;

 private:
  JsonlPairReader pairs_;
};

}  // namespace fastformer::data

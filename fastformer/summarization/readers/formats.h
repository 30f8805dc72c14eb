#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "fastformer/data/dialect.h"
#include "fastformer/data/text_encoding.h"
#include "fastformer/summarization/readers/reader.h"

/// The formats that come with the library, each in the source of its name.
namespace fastformer::summarization {

/// One JSON object per line, with the document and the summary in two fields. A field is a text, a
/// list of texts (its sentences, which become lines) or null (empty).
///
///   {"article": "It rained all day. ...", "highlights": ["It rained .", "Nobody minded ."]}
std::unique_ptr<PairReader> open_jsonl(const std::filesystem::path& file,
                                       const std::string& source_field,
                                       const std::string& target_field,
                                       const data::TextEncoding& encoding = {});

/// The rows of a csv or tsv with document and summary in two columns, which the first row names; a
/// row of another width throws std::invalid_argument. `delimiter` is the usual one of the format.
std::unique_ptr<PairReader> open_delimited(const std::filesystem::path& file, char delimiter,
                                           const std::string& source_field,
                                           const std::string& target_field,
                                           const data::TextEncoding& encoding = {},
                                           const data::DialectConfig& dialect = {});

/// The papers of arXiv and PubMed as published by Cohan et al. 2018 ("A discourse-aware attention
/// model for abstractive summarization of long documents"): lists of sentences in article_text and
/// abstract_text; the marks <S> and </S> around those of the abstract go.
std::unique_ptr<PairReader> open_pubmed(const std::filesystem::path& file,
                                        const data::TextEncoding& encoding = {});

/// Two parallel text files: line n of one is the document, line n of the other its summary. A blank
/// line is an empty text. next() throws std::invalid_argument after the last pair if one file has
/// more lines than the other.
std::unique_ptr<PairReader> open_parallel(const std::filesystem::path& source_file,
                                          const std::filesystem::path& target_file,
                                          const data::TextEncoding& encoding = {});

/// The .story files of CNN and DailyMail (Hermann et al. 2015): paragraphs of the article with
/// blank lines between, then the sentences of the summary, each below a line "@highlight".
/// Paragraphs and sentences become lines. A file without "@highlight" has an empty summary.
///
/// Reads one such file, or all of a folder in the order of their names.
/// Throws std::invalid_argument when the folder holds no .story file.
std::unique_ptr<PairReader> open_story(const std::filesystem::path& path,
                                       const data::TextEncoding& encoding = {});

}  // namespace fastformer::summarization

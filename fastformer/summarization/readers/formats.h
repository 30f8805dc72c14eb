#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "fastformer/data/dialect.h"
#include "fastformer/data/text_encoding.h"
#include "fastformer/summarization/readers/reader.h"

/// The formats of the library. Each is in the source file of its name.
namespace fastformer::summarization {

/// One JSON object per line, with the document and the summary in two fields. A field is a string,
/// a list of strings (sentences, which become lines), or null (the empty text).
///
///   {"article": "It rained all day. ...", "highlights": ["It rained .", "Nobody minded ."]}
std::unique_ptr<PairReader> open_jsonl(const std::filesystem::path& file,
                                       const std::string& source_field,
                                       const std::string& target_field,
                                       const data::TextEncoding& encoding = {});

/// The rows of a csv or tsv with document and summary in two columns, which the first row names; a
/// row with another number of cells throws std::invalid_argument. `delimiter` is the usual one of
/// the format. With an empty `target_field` all summaries are empty.
std::unique_ptr<PairReader> open_delimited(const std::filesystem::path& file, char delimiter,
                                           const std::string& source_field,
                                           const std::string& target_field,
                                           const data::TextEncoding& encoding = {},
                                           const data::DialectConfig& dialect = {});

/// The papers of arXiv and PubMed, as published by Cohan et al. 2018 ("A discourse-aware attention
/// model for abstractive summarization of long documents"): lists of sentences in article_text and
/// abstract_text. The marks <S> and </S> around sentences of the abstract are removed.
std::unique_ptr<PairReader> open_pubmed(const std::filesystem::path& file,
                                        const data::TextEncoding& encoding = {});

/// Two parallel text files: line n of `target_file` is the summary of line n of `source_file`. A
/// blank line is an empty text. next() throws std::invalid_argument after the last pair if one file
/// has more lines than the other.
std::unique_ptr<PairReader> open_parallel(const std::filesystem::path& source_file,
                                          const std::filesystem::path& target_file,
                                          const data::TextEncoding& encoding = {});

/// The .story files of CNN and DailyMail (Hermann et al. 2015): paragraphs of the article,
/// separated by blank lines, then the sentences of the summary, each below a line "@highlight".
/// Paragraphs and sentences become lines. A file without "@highlight" has an empty summary.
///
/// Reads one such file, or all .story files of a folder in the order of their names. Throws
/// std::invalid_argument if the folder contains no .story file.
std::unique_ptr<PairReader> open_story(const std::filesystem::path& path,
                                       const data::TextEncoding& encoding = {});

}  // namespace fastformer::summarization

#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "fastformer/classification/readers/reader.h"

/// The formats of the library. Each is in the source file of its name.
namespace fastformer::classification {

/// Each record is an example; its text columns are joined with text_columns_separator. All records
/// must have as many columns as the first one, except empty ones at the end: an unquoted delimiter
/// would otherwise truncate a text silently. For dialects see data::DelimitedRecords.
std::unique_ptr<Reader> open_csv(const DataConfig& config, const std::filesystem::path& file);
std::unique_ptr<Reader> open_tsv(const DataConfig& config, const std::filesystem::path& file);

/// One JSON object per line, or one array of objects. Columns are names of fields.
///
///   {"reviewText": "Works well", "overall": 5.0, "asin": "B0001"}
///
/// The label is a string, a number (5.0 is the class "5") or true/false, or with several labels a
/// list of these. A text field that is null or missing in a row is empty in that row; a field that
/// is missing in all rows is an error.
std::unique_ptr<Reader> open_jsonl(const DataConfig& config, const std::filesystem::path& file);

/// A folder with one folder per class, which contains one file per document, also in subfolders.
/// The label is the name of the folder. Files and folders whose names begin with a dot are ignored.
/// Documents are in the order of their paths.
std::unique_ptr<Reader> open_folders(const DataConfig& config, const std::filesystem::path& folder);

/// Lines in fastText's format: "__label__pos a lovely chair", with one label at the start, or
/// several.
std::unique_ptr<Reader> open_fasttext(const DataConfig& config, const std::filesystem::path& file);

/// The Large Movie Review Dataset (Maas et al. 2011): a folder such as aclImdb/train with the
/// folders neg and pos, with one review per file `<id>_<rating>.txt`. The label is "neg" or "pos";
/// with imdb_labels = "ratings" it is the rating. Reviews are in the order of their paths.
std::unique_ptr<Reader> open_imdb(const DataConfig& config, const std::filesystem::path& folder);

/// The news.tsv of MIND (Wu et al. 2020), or its folder: id, category, subcategory, title,
/// abstract, url, title entities, abstract entities and, if it has been added, body, separated by
/// tabs, without quoting. The label is the category. The text is title and abstract, with mind_body
/// also the body. The group is the id.
std::unique_ptr<Reader> open_mind(const DataConfig& config, const std::filesystem::path& path);

/// A package index (see data::DebianIndex): the text of a package is its description, the label its
/// section, the group its source package. Lines of the description that repeat the name of the
/// package are removed, because names ("lib...-dev", "...-doc") reveal the section. Packages
/// without a description are skipped.
std::unique_ptr<Reader> open_debian(const DataConfig& config, const std::filesystem::path& file);

/// Makes several labels of the label as its column holds it: the parts between the separators. Does
/// nothing without a separator.
void split_label(Example& example, const std::string& separator);
/// Whether a cell of data.label_columns says that the document has the label. Throws data::BadRow
/// for what is neither 0 nor 1, false nor true.
bool is_set(std::string_view cell, const std::string& column, const std::string& where);

}  // namespace fastformer::classification

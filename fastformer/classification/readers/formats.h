#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "fastformer/classification/readers/reader.h"

/// The formats that come with the library, each in the source of its name.
namespace fastformer::classification {

/// Each record an example; the text columns are joined by text_columns_separator. Every record must
/// have as many columns as the first, empty ones at its end aside: an unquoted delimiter inside a
/// text would otherwise cut the text silently. The dialect is that of data::DelimitedRecords.
std::unique_ptr<Reader> open_csv(const DataConfig& config, const std::filesystem::path& file);
std::unique_ptr<Reader> open_tsv(const DataConfig& config, const std::filesystem::path& file);

/// One JSON object per line, or one array of objects; columns are field names.
///
///   {"reviewText": "Works well", "overall": 5.0, "asin": "B0001"}
///
/// The label is a text, a number (5.0 is the class "5") or true/false, or with several labels a
/// list of these. A text field that is null or missing in some rows is empty there; a field that no
/// row has is an error.
std::unique_ptr<Reader> open_jsonl(const DataConfig& config, const std::filesystem::path& file);

/// A folder with a folder for each class, whose files hold a document each, in subfolders too. The
/// label is the name of the folder; files and folders that begin with a dot are ignored. Documents
/// come in the order of their paths.
std::unique_ptr<Reader> open_folders(const DataConfig& config, const std::filesystem::path& folder);

/// The lines of fastText: "__label__pos a lovely chair", with one label at the head, or several.
std::unique_ptr<Reader> open_fasttext(const DataConfig& config, const std::filesystem::path& file);

/// The Large Movie Review Dataset (Maas et al. 2011): a folder such as aclImdb/train with neg/ and
/// pos/, one review per file `<id>_<rating>.txt`. The label is "neg" or "pos", or with
/// imdb_labels = "ratings" the rating in the file's name. Reviews come in the order of their paths.
std::unique_ptr<Reader> open_imdb(const DataConfig& config, const std::filesystem::path& folder);

/// The news.tsv of MIND (Wu et al. 2020), or the folder that holds it: id, category, subcategory,
/// title, abstract, url, title entities, abstract entities and, if added, body; separated by tabs,
/// without quoting. The label is the category, the text title and abstract (and body with
/// mind_body), the group the id.
std::unique_ptr<Reader> open_mind(const DataConfig& config, const std::filesystem::path& path);

/// A package index (see data::DebianIndex) as documents: the text is the description, the label the
/// section, the group the source. The text is only the description, without lines that repeat the
/// package's name, because names ("lib...-dev", "...-doc") reveal the section. Packages without a
/// description are skipped.
std::unique_ptr<Reader> open_debian(const DataConfig& config, const std::filesystem::path& file);

/// Makes several labels of the label as its column holds it: the parts between the separators. Does
/// nothing without a separator.
void split_label(Example& example, const std::string& separator);
/// Whether a cell of data.label_columns says that the document has the label. Throws data::BadRow
/// for what is neither 0 nor 1, false nor true.
bool is_set(std::string_view cell, const std::string& column, const std::string& where);

}  // namespace fastformer::classification

#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "fastformer/data/line_stream.h"
#include "fastformer/recommendation/readers/reader.h"

/// The formats of the library. Each is in the source file of its name.
namespace fastformer::recommendation {

/// MIND (Wu et al. 2020). A source is a folder with news.tsv and behaviors.tsv, or a behaviors.tsv
/// whose news.tsv is next to it or in data.news. Files may be compressed (news.tsv.gz, .zst, ...),
/// and the folder may be the downloaded zip archive. Entity vectors are not read.
///
///   news.tsv       id, category, subcategory, title, abstract, url, title entities, abstract
///                  entities and, if it has been added, body
///   behaviors.tsv  impression id, user, time (11/15/2019 8:55:22 AM, or ISO 8601), clicked items
///                  and shown items: "N1-1 N2-0", or in all rows "N1 N2" if the clicks are not
///                  published
///
/// separated by tabs, without quoting. Clicked items that are in no news.tsv are ignored; shown
/// ones are kept, without a title. Only the last `history` clicks of each history are kept.
ClickSource read_mind_clicks(const DataConfig& config);
/// Reads the items of a source as above; files with other names are read as news.tsv.
void read_mind_items(const std::filesystem::path& source, const DataConfig& config,
                     ItemTable& items);

/// The behaviors.tsv of a source as above, and the five cells of one of its lines. Throws
/// std::invalid_argument that begins with `where` for a line with other columns.
data::LineStream open_mind_behaviors(const std::filesystem::path& source, const DataConfig& config);
void split_mind_behaviors(std::string_view line, const std::string& where,
                          std::vector<std::string_view>& cells);

/// The atomic files of RecBole (Zhao et al., arXiv 2011.01731): tab-separated tables whose first
/// line contains the names and types of the columns. A source is name.inter, or a folder with one
/// such file:
///
///   name.inter   user_id:token  item_id:token  rating:float  timestamp:float
///   name.item    item_id:token  title:token_seq ...
///
/// The items are in the file with the same name, or in the only .item file of the folder. A line is
/// a click if its rating is at least `click_rating`; without that column, if its label is above 0;
/// with neither, always. A timestamp is a number or an ISO 8601 time; without that column, the
/// lines are in order. Each click becomes an impression (see UnmetItems). Its history consists of
/// the user's earlier clicks in the same part and in earlier parts; clicks in later parts are
/// skipped, because training must not know them.
ClickSource read_recbole_clicks(const DataConfig& config);
/// Reads the items of a source: an .item file, or the one that belongs to the interactions.
void read_recbole_items(const std::filesystem::path& source, const DataConfig& config,
                        ItemTable& items);

/// Package indexes (see DebianIndex) as a public data set of clicks. Each package is both a user
/// and an item; its dependencies are its clicks. Its title is the description (title_columns
/// "title": the first line, "body": the rest), its category is the section.
///
/// Of alternatives ("a | b") only the first counts; dependencies that the index lacks are ignored.
/// Each dependency becomes an impression (see UnmetItems), whose history is the list of the other
/// dependencies, starting after it and wrapping around. A hash of the source package replaces the
/// time, so that split_by_time splits at random and keeps packages of one source together.
ClickSource read_debian_clicks(const DataConfig& config);
/// Reads the packages of an index as items.
void read_debian_items(const std::filesystem::path& index, const DataConfig& config,
                       ItemTable& items);

}  // namespace fastformer::recommendation

#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "fastformer/data/line_stream.h"
#include "fastformer/recommendation/readers/reader.h"

/// The formats that come with the library, each in the source of its name.
namespace fastformer::recommendation {

/// MIND (Wu et al. 2020). A source is a folder with news.tsv and behaviors.tsv, or a behaviors.tsv
/// with news.tsv beside it or in data.news; all may be compressed (news.tsv.gz, .zst, ...). The
/// folder may be the downloaded zip archive. Entity vectors are not read.
///
///   news.tsv       id, category, subcategory, title, abstract, url, title entities, abstract
///                  entities and, where someone has added it, body
///   behaviors.tsv  impression id, user, time (11/15/2019 8:55:22 AM, or by ISO 8601), clicked
///   items, and what was
///                  shown: "N1-1 N2-0", or "N1 N2" throughout where the clicks are not published
///
/// separated by tabs, without quoting. A clicked item that is in no news.tsv is ignored in the
/// history; a shown one stays, without a title. The last `history` clicks of a history are kept.
ClickSource read_mind_clicks(const DataConfig& config);
/// The items of a source as above; other files are read as news.tsv.
void read_mind_items(const std::filesystem::path& source, const DataConfig& config,
                     ItemTable& items);

/// The behaviors.tsv of a source as above, and the five cells of one of its lines. Throws
/// std::invalid_argument that begins with `where` for a line of other columns.
data::LineStream open_mind_behaviors(const std::filesystem::path& source, const DataConfig& config);
void split_mind_behaviors(std::string_view line, const std::string& where,
                          std::vector<std::string_view>& cells);

/// The atomic files of RecBole (Zhao et al., arXiv 2011.01731): tables separated by tabs whose
/// first line names and types the columns. A source is name.inter, or the folder that holds one
/// such file:
///
///   name.inter   user_id:token  item_id:token  rating:float  timestamp:float
///   name.item    item_id:token  title:token_seq ...
///
/// The items lie in the file of the same name, or the only .item file beside it. A rating from
/// `click_rating` on is a click, without that column a label above 0, without both every line. A
/// timestamp is a number or a time by ISO 8601; without that column the lines count as ordered.
/// Each click makes an impression (see UnmetItems), whose history are the user's clicks before it
/// in its own part and in earlier ones; those of later parts, which training must not know, are
/// skipped.
ClickSource read_recbole_clicks(const DataConfig& config);
/// The items of a source: of an .item file, or of the one that belongs to the interactions.
void read_recbole_items(const std::filesystem::path& source, const DataConfig& config,
                        ItemTable& items);

/// Package indexes (see DebianIndex) as a public data set of clicks: each package acts as both a
/// user and an item, its dependencies are its clicks, and the title is its description ("title":
/// the first line, "body": the rest, both columns of title_columns). The category is the section.
///
/// Of alternatives ("a | b") the first counts; dependencies without a paragraph are ignored. Each
/// dependency makes an impression (see UnmetItems); its history is the other dependencies, starting
/// after it and wrapping around. Dependencies have no time: a hash of the source package replaces
/// it, so that split_by_time splits at random and keeps packages of one source together.
ClickSource read_debian_clicks(const DataConfig& config);
/// The packages of an index as items.
void read_debian_items(const std::filesystem::path& index, const DataConfig& config,
                       ItemTable& items);

}  // namespace fastformer::recommendation

#pragma once

#include <filesystem>

#include "fastformer/data/click_source.h"

namespace fastformer::data {

/// The atomic files of RecBole (Zhao et al., arXiv 2011.01731): tables separated by tabs whose
/// first line names and types the columns. A source is name.inter, or the folder that holds one
/// such file:
///
///   name.inter   user_id:token  item_id:token  rating:float  timestamp:float
///   name.item    item_id:token  title:token_seq ...
///
/// The items lie in the file of the same name, or the only .item file beside it. A rating from
/// `click_rating` on is a click; without that column every line is one. Each click makes an
/// impression (see UnmetItems), whose history are the user's clicks before it in its own part and
/// in earlier ones; those of later parts, which training must not know, are left out.
ClickSource read_recbole_clicks(const ClickDataConfig& config);

/// The items of a source as news: of an .item file, or of that which belongs to the interactions.
void read_recbole_items(const std::filesystem::path& source, const ClickDataConfig& config,
                        NewsTable& items);

}  // namespace fastformer::data

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "fastformer/data/click_source.h"

namespace fastformer::data {

/// MIND (Wu et al. 2020). A source is a folder with news.tsv and behaviors.tsv, or the latter file
/// with the former beside it or among data.news; all may be compressed (news.tsv.gz, .zst, ...).
/// The folder may be the zip archive as it is downloaded. Vectors of entities beside them are not
/// read.
///
///   news.tsv       id, category, subcategory, title, abstract, url, title entities, abstract
///                  entities and, where someone has added it, body
///   behaviors.tsv  impression id, user, time (11/15/2019 8:55:22 AM), clicked news, and what was
///                  shown: "N1-1 N2-0", or "N1 N2" throughout where the clicks are not published
///
/// separated by tabs, without quoting. A clicked news that no news.tsv has is left out of the
/// history; a shown one stays, without a title. Of a history the last `history` clicks are kept.
ClickSource read_mind_clicks(const ClickDataConfig& config);

/// The parts of the above. `source` as there; another file is read as it is.
void read_mind_news(const std::filesystem::path& source, const ClickDataConfig& config,
                    NewsTable& news);
ImpressionLog read_behaviors(const std::vector<std::string>& sources, const ClickDataConfig& config,
                             const NewsTable& news);

}  // namespace fastformer::data

#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "fastformer/data/click_data_config.h"
#include "fastformer/data/impression_log.h"
#include "fastformer/data/news_table.h"

namespace fastformer::data {

/// What the files of a recommendation data set say, before anything is tokenized.
struct ClickSource {
  NewsTable news;
  std::int64_t training_news = 0;  ///< news 1 .. training_news belong to the training part
  LogParts parts;
  std::vector<std::string> notices;  ///< what people should know of the files, a sentence each
};

/// Reads the sources by config.format (see click_source.cc). Throws std::invalid_argument with one
/// sentence, naming file and line, for whatever a reader refuses, for training impressions from
/// which nothing can be learned, and where no part has files.
ClickSource read_clicks(const ClickDataConfig& config);

/// Adds the news of one source alone: by config.format MIND's news.tsv (or its folder), an .item
/// file of RecBole, or an index of packages. Throws std::invalid_argument as read_clicks() does.
void read_news(const std::filesystem::path& source, const ClickDataConfig& config, NewsTable& news);

/// Whether an impression of the format knows what the user clicked in earlier parts, whose files
/// are then needed to read a later one.
bool knows_earlier_parts(const std::string& format);

}  // namespace fastformer::data

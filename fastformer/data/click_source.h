#pragma once

#include <cstdint>

#include "fastformer/data/click_data_config.h"
#include "fastformer/data/impression_log.h"
#include "fastformer/data/news_table.h"

namespace fastformer::data {

/// What the files of a recommendation data set say, before anything is tokenized.
struct ClickSource {
  NewsTable news;
  std::int64_t training_news = 0;  ///< news 1 .. training_news belong to the training part
  LogParts parts;
};

/// Reads the sources by config.format (see click_source.cc). Throws std::invalid_argument with one
/// sentence, naming file and line, for whatever a reader refuses, for training impressions from
/// which nothing can be learned, and where no part has files.
ClickSource read_clicks(const ClickDataConfig& config);

}  // namespace fastformer::data

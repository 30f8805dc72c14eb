#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "fastformer/recommendation/impression_log.h"
#include "fastformer/recommendation/item_table.h"

namespace fastformer::recommendation {

struct DataConfig;

/// The contents of a recommendation data set before tokenizing.
struct ClickSource {
  ItemTable items;
  std::int64_t training_items = 0;  ///< items 1 .. training_items belong to the training part
  LogParts parts;
  std::vector<std::string> notices;  ///< problems of the files, one sentence each
};

/// A format of clicks.
struct ClickReaderRow {
  std::string name;
  std::function<ClickSource(const DataConfig&)> read;
  std::function<void(const std::filesystem::path&, const DataConfig&, ItemTable&)> read_items;
  /// Histories contain clicks of earlier parts, so reading a part needs the files of earlier parts.
  bool knows_earlier_parts = false;
  bool has_time = false;
};

/// Adds a format of another program. Must be called before other threads use the library. Throws
/// std::invalid_argument for a name that is taken.
void register_click_reader(ClickReaderRow row);
std::vector<std::string> click_reader_names();

/// Reads the sources by config.format. Throws std::invalid_argument with one sentence, naming file
/// and line, for input that a reader refuses, for training impressions that cannot be used, and if
/// no part has files.
ClickSource read_clicks(const DataConfig& config);

/// An impression in memory, with the ids of items.
struct ImpressionExample {
  std::string user;
  double time = 0;                                      ///< only the order counts
  std::vector<std::string> history = {};                ///< clicked before, oldest first
  std::vector<std::string> clicked = {}, skipped = {};  ///< what was shown
};

/// The same from items and impressions in memory; config's fractions split them by time.
ClickSource clicks_of(std::span<const Item> items, std::span<const ImpressionExample> examples,
                      const DataConfig& config);

/// Adds the items of one source alone: by config.format MIND's news.tsv (or its folder), an .item
/// file of RecBole, or a package index. Throws std::invalid_argument as read_clicks() does.
void read_items(const std::filesystem::path& source, const DataConfig& config, ItemTable& items);

/// See ClickReaderRow.
bool knows_earlier_parts(const std::string& format);

}  // namespace fastformer::recommendation

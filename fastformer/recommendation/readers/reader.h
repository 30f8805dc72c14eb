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

/// The content of a recommendation data set before tokenization.
struct ClickSource {
  ItemTable items;
  std::int64_t training_items = 0;  ///< items 1 .. training_items belong to the training part
  LogParts parts;
  std::vector<std::string> notices;  ///< problems in the files, one sentence each
};

/// A row of the table of click formats.
struct ClickReaderRow {
  std::string name;
  /// A user must have one number in all parts.
  std::function<ClickSource(const DataConfig&)> read;
  std::function<void(const std::filesystem::path&, const DataConfig&, ItemTable&)> read_items;
  /// Whether histories contain clicks of earlier parts, so that a part needs the files of these.
  bool knows_earlier_parts = false;
  bool has_time = false;
};

/// Adds a format of another program. Call it before other threads use the library. Throws
/// std::invalid_argument if the name is already in use.
void register_click_reader(ClickReaderRow row);
std::vector<std::string> click_reader_names();

/// Reads the sources in config.format. Throws std::invalid_argument with one sentence, naming file
/// and line, for input that a reader rejects; also if training impressions cannot be used, or no
/// part has files.
ClickSource read_clicks(const DataConfig& config);

/// An impression in memory; items are given by their ids.
struct ImpressionExample {
  std::string user;
  double time = 0;                                      ///< any unit; only the order matters
  std::vector<std::string> history = {};                ///< ids of earlier clicks, oldest first
  std::vector<std::string> clicked = {}, skipped = {};  ///< ids of the items shown
};

/// The same for items and impressions in memory; the fractions of `config` split them by time.
ClickSource clicks_of(std::span<const Item> items, std::span<const ImpressionExample> examples,
                      const DataConfig& config);

/// Adds only the items of a source. config.format selects MIND's news.tsv (or its folder), an .item
/// file of RecBole, or a package index. Throws std::invalid_argument as read_clicks() does.
void read_items(const std::filesystem::path& source, const DataConfig& config, ItemTable& items);

/// See ClickReaderRow.
bool knows_earlier_parts(const std::string& format);

}  // namespace fastformer::recommendation

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

/// What the files of a recommendation data set say, before anything is tokenized.
struct ClickSource {
  ItemTable items;
  std::int64_t training_items = 0;  ///< items 1 .. training_items belong to the training part
  LogParts parts;
  std::vector<std::string> notices;  ///< what people should know about the files, a sentence each
};

/// A format of clicks.
struct ClickReaderRow {
  std::string name;
  std::function<ClickSource(const DataConfig&)> read;
  std::function<void(const std::filesystem::path&, const DataConfig&, ItemTable&)> read_items;
  /// An impression knows what the user clicked in earlier parts, whose files are then needed to
  /// read a later one.
  bool knows_earlier_parts = false;
  bool has_time = false;
};

/// Adds a format to those of `reader.cc`, for programs that bring their own. To be called before
/// other threads use the library. Throws std::invalid_argument for a name that is taken.
void register_click_reader(ClickReaderRow row);
std::vector<std::string> click_reader_names();

/// Reads the sources by config.format. Throws std::invalid_argument with one sentence, naming file
/// and line, for whatever a reader refuses, for training impressions from which nothing can be
/// learned, and where no part has files.
ClickSource read_clicks(const DataConfig& config);

/// An impression in memory, with the ids of items.
struct ImpressionExample {
  std::string user;
  double time = 0;                                      ///< only the order counts
  std::vector<std::string> history = {};                ///< clicked before, oldest first
  std::vector<std::string> clicked = {}, skipped = {};  ///< what was shown
};

/// The same from memory: the items, and the impressions that config's fractions divide by time.
ClickSource clicks_of(std::span<const Item> items, std::span<const ImpressionExample> examples,
                      const DataConfig& config);

/// Adds the items of one source alone: by config.format MIND's news.tsv (or its folder), an .item
/// file of RecBole, or an index of packages. Throws std::invalid_argument as read_clicks() does.
void read_items(const std::filesystem::path& source, const DataConfig& config, ItemTable& items);

/// See ClickReaderRow.
bool knows_earlier_parts(const std::string& format);

}  // namespace fastformer::recommendation

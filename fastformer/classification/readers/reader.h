#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fastformer::classification {

struct DataConfig;

/// One row of a data set.
struct Example {
  std::string text;
  std::string label;  ///< empty if the source has none
  std::string group;  ///< rows of a group stay in the same part; empty: no group
  std::string where;  ///< "train.csv:17", for messages
  /// With DataConfig::several_labels(), in place of `label`.
  std::vector<std::string> labels = {};
};

/// A column of a row, as it is in the file.
struct Field {
  std::string name;
  std::string value;
  bool is_json = false;  ///< the value is JSON instead of text; empty: null
};

/// Reads the examples of one file (or folder), one at a time.
///
///   const auto reader = open_reader(config, "train.csv");
///   for (Example example; reader->next(example);) use(example);
class Reader {
 public:
  virtual ~Reader() = default;

  /// Reads the next row into `example`; false at the end. Throws std::invalid_argument that names
  /// file and line for an unreadable row; data::BadRow if reading can continue after it.
  virtual bool next(Example& example) = 0;

  /// The columns of the row that next() returned last; empty for formats without columns.
  virtual std::vector<Field> fields() const { return {}; }
  /// Notices about the file so far, one sentence each.
  virtual std::vector<std::string> notices() const { return {}; }
};

/// A row of the table of data formats.
struct ReaderRow {
  using Open =
      std::function<std::unique_ptr<Reader>(const DataConfig&, const std::filesystem::path&)>;

  std::string name;
  Open open;
  bool has_columns = false;  ///< the configuration names its columns
};

/// Adds a format of another program to the table in `reader.cc`; recipes and commands can then use
/// it. Call it before other threads use the library. Throws std::invalid_argument if the name is
/// already in use.
void register_reader(ReaderRow row);

std::vector<std::string> reader_names();
/// Whether the configuration names the columns of this format.
bool has_columns(const std::string& format);

/// The reader of config.format. It normalizes labels (see normalized_label) and skips bad rows if
/// config.bad_rows says so. Throws std::invalid_argument with one sentence for an unknown format,
/// for a file that cannot be read and, at the first next(), for a file without rows.
std::unique_ptr<Reader> open_reader(const DataConfig& config, const std::filesystem::path& file);

/// Calls `visit` with each example of the files, in order. `notices` may be null.
void for_each_example(const DataConfig& config, const std::vector<std::string>& files,
                      const std::function<void(Example&)>& visit,
                      std::vector<std::string>* notices = nullptr);

/// Normalizes the labels of an example. With `several`, `labels` are then distinct, sorted and not
/// empty, and include the former `label`, which is empty.
void normalize_labels(Example& example, bool several);

/// The label in the form that identifies its class: Unicode form NFC, without surrounding white
/// space and without invisible characters (zero width, direction marks). Numbers lose trailing
/// zeros of their fraction, so that 1 and 1.0 are one class.
std::string normalized_label(std::string_view label);

}  // namespace fastformer::classification

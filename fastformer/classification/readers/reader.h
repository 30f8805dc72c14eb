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
  std::string group;  ///< rows with equal groups stay in one part; empty: a group of its own
  std::string where;  ///< "train.csv:17", for messages
  /// With DataConfig::several_labels(), in place of `label`.
  std::vector<std::string> labels = {};
};

/// A column of a row as its file has it.
struct Field {
  std::string name;
  std::string value;
  bool is_json = false;  ///< the value is JSON and no text; empty: null
};

/// Reads the examples of one file (or folder) one after another.
///
///   const auto reader = open_reader(config, "train.csv");
///   for (Example example; reader->next(example);) use(example);
class Reader {
 public:
  virtual ~Reader() = default;

  /// Puts the next row into `example`; false at the end. Throws std::invalid_argument that names
  /// file and line for a row that cannot be read, data::BadRow where the next one can be.
  virtual bool next(Example& example) = 0;

  /// The columns of the row that next() gave last; empty for formats without columns.
  virtual std::vector<Field> fields() const { return {}; }
  /// What people should know about the file so far, a sentence each.
  virtual std::vector<std::string> notices() const { return {}; }
};

/// A format of data files.
struct ReaderRow {
  using Open =
      std::function<std::unique_ptr<Reader>(const DataConfig&, const std::filesystem::path&)>;

  std::string name;
  Open open;
  bool has_columns = false;  ///< the configuration names its columns
};

/// Adds a format of another program to the table in `reader.cc`: recipes and commands can then use
/// it. Must be called before other threads use the library. Throws std::invalid_argument for a name
/// that is taken.
void register_reader(ReaderRow row);

std::vector<std::string> reader_names();
/// Whether the configuration names the columns of that format.
bool has_columns(const std::string& format);

/// The reader of config.format. It normalizes labels (see normalized_label) and skips bad rows
/// where config.bad_rows says so. Throws std::invalid_argument with one sentence for an unknown
/// format, for a file that cannot be read and, at the first next(), for one that holds no rows.
std::unique_ptr<Reader> open_reader(const DataConfig& config, const std::filesystem::path& file);

/// Calls `visit` with each example of the files, in order. `notices` may be null.
void for_each_example(const DataConfig& config, const std::vector<std::string>& files,
                      const std::function<void(Example&)>& visit,
                      std::vector<std::string>* notices = nullptr);

/// Normalizes the labels of an example. With `several`, `labels` are then distinct, sorted and not
/// empty, hold what `label` held, and `label` is empty.
void normalize_labels(Example& example, bool several);

/// The label that identifies a class: without white space around it and without characters
/// that do not show (zero width, marks of direction), in Unicode's form NFC; a number without zeros
/// at its end, so that 1 and 1.0 are one class.
std::string normalized_label(std::string_view label);

}  // namespace fastformer::classification

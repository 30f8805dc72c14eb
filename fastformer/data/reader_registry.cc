#include <array>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "fastformer/base/suggest.h"
#include "fastformer/data/debian_reader.h"
#include "fastformer/data/delimited_reader.h"
#include "fastformer/data/imdb_reader.h"
#include "fastformer/data/jsonl_reader.h"
#include "fastformer/data/mind_reader.h"
#include "fastformer/data/reader.h"

namespace fastformer::data {
namespace {

namespace fs = std::filesystem;

// What holds for every format: a source without rows is an error, labels are trimmed.
class CheckedReader final : public Reader {
 public:
  CheckedReader(std::unique_ptr<Reader> reader, const fs::path& file)
      : reader_(std::move(reader)), file_(file) {}

  bool next(Example& example) override {
    if (!reader_->next(example)) {
      if (!any_) {
        throw std::invalid_argument(file_.string() +
                                    ": is empty or has no rows, expected at least one example");
      }
      return false;
    }
    any_ = true;
    constexpr std::string_view kBlank = " \t\r\n";
    example.label.erase(example.label.find_last_not_of(kBlank) + 1);
    example.label.erase(0, example.label.find_first_not_of(kBlank));
    return true;
  }

 private:
  std::unique_ptr<Reader> reader_;
  fs::path file_;
  bool any_ = false;
};

template <class T, char... delimiter>
std::unique_ptr<Reader> open(const DataConfig& config, const fs::path& file) {
  return std::make_unique<T>(config, file, delimiter...);
}

struct Row {
  const char* name;
  std::unique_ptr<Reader> (*open)(const DataConfig&, const fs::path&);
};

constexpr std::array kReaders = {
    Row{"csv", open<DelimitedReader, ','>}, Row{"tsv", open<DelimitedReader, '\t'>},
    Row{"jsonl", open<JsonlReader>},        Row{"imdb", open<ImdbReader>},
    Row{"mind", open<MindReader>},          Row{"debian", open<DebianReader>},
};

}  // namespace

std::unique_ptr<Reader> open_reader(const DataConfig& config, const fs::path& file) {
  std::vector<std::string> names;
  for (const auto& row : kReaders) {
    if (config.format == row.name) {
      return std::make_unique<CheckedReader>(row.open(config, file), file);
    }
    names.emplace_back(row.name);
  }
  throw std::invalid_argument("data.format is '" + config.format + "'" +
                              base::suggestion(config.format, names));
}

}  // namespace fastformer::data

#include "fastformer/classification/readers/reader.h"

#include <stdexcept>
#include <string_view>
#include <utility>

#include "fastformer/base/registry.h"
#include "fastformer/classification/data_config.h"
#include "fastformer/classification/readers/formats.h"

namespace fastformer::classification {
namespace {

namespace fs = std::filesystem;

base::Registry<ReaderRow>& readers() {
  static base::Registry<ReaderRow> rows("data.format", {{"csv", open_csv, /*has_columns=*/true},
                                                        {"tsv", open_tsv, /*has_columns=*/true},
                                                        {"jsonl", open_jsonl, /*has_columns=*/true},
                                                        {"imdb", open_imdb},
                                                        {"mind", open_mind},
                                                        {"debian", open_debian}});
  return rows;
}

// Common to all formats: a source without rows is an error, and labels are trimmed.
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

}  // namespace

void register_reader(ReaderRow row) { readers().add(std::move(row)); }

std::vector<std::string> reader_names() { return readers().names(); }

bool has_columns(const std::string& format) { return readers().find(format).has_columns; }

std::unique_ptr<Reader> open_reader(const DataConfig& config, const fs::path& file) {
  return std::make_unique<CheckedReader>(readers().find(config.format).open(config, file), file);
}

void for_each_example(const DataConfig& config, const std::vector<std::string>& files,
                      const std::function<void(Example&)>& visit) {
  Example example;
  for (const auto& file : files) {
    const auto reader = open_reader(config, file);
    while (reader->next(example)) visit(example);
  }
}

}  // namespace fastformer::classification

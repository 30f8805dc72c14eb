#include "fastformer/classification/readers/reader.h"

#include <cstdint>
#include <stdexcept>
#include <utility>

#include "fastformer/base/out_of_memory.h"
#include "fastformer/base/printable.h"
#include "fastformer/base/registry.h"
#include "fastformer/classification/data_config.h"
#include "fastformer/classification/readers/formats.h"
#include "fastformer/data/bad_row.h"

namespace fastformer::classification {
namespace {

namespace fs = std::filesystem;

base::Registry<ReaderRow>& readers() {
  static base::Registry<ReaderRow> rows("data.format", {{"csv", open_csv, /*has_columns=*/true},
                                                        {"tsv", open_tsv, /*has_columns=*/true},
                                                        {"jsonl", open_jsonl, /*has_columns=*/true},
                                                        {"folders", open_folders},
                                                        {"fasttext", open_fasttext},
                                                        {"imdb", open_imdb},
                                                        {"mind", open_mind},
                                                        {"debian", open_debian}});
  return rows;
}

// What holds for every format: a source without rows is an error, labels are normalized, bad rows
// may be skipped.
class CheckedReader final : public Reader {
 public:
  CheckedReader(std::unique_ptr<Reader> reader, const fs::path& file, const DataConfig& config)
      : reader_(std::move(reader)),
        file_(file),
        bad_rows_(config.bad_rows),
        several_labels_(config.several_labels()) {}

  bool next(Example& example) override {
    if (!next_good(example)) {
      if (!any_) {
        throw std::invalid_argument(
            file_.string() +
            (skipped_ > 0 ? ": no row could be read, " + std::to_string(skipped_) + " were skipped"
             : fs::is_directory(file_)
                 ? ": has no examples; give files, or a folder with a subfolder of each class"
                 : ": is empty or has no rows, expected at least one example"));
      }
      return false;
    }
    any_ = true;
    check_fasttext(example);
    normalize_labels(example, several_labels_);
    return true;
  }

  std::vector<Field> fields() const override { return reader_->fields(); }
  std::vector<std::string> notices() const override {
    auto notices = reader_->notices();
    if (skipped_ > 0) {
      notices.push_back(
          file_.string() + ": " + std::to_string(skipped_) +
          (skipped_ == 1 ? " bad row was skipped: " : " bad rows were skipped, the first is ") +
          first_bad_);
    }
    return notices;
  }

 private:
  bool next_good(Example& example) {
    while (true) {
      example.labels.clear();
      try {
        return reader_->next(example);
      } catch (const data::BadRow& error) {
        if (bad_rows_ == data::BadRows::kError) throw;
        if (skipped_++ == 0) first_bad_ = error.what();
      }
    }
  }

  // A cell that holds the beginning of a line as fastText writes them.
  void check_fasttext(const Example& example) const {
    const bool found =
        example.label.starts_with("__label__") && example.label.find(' ') != std::string::npos;
    if (!found) return;
    throw std::invalid_argument(
        example.where +
        ": is a line as fastText reads them; set data.format = \"fasttext\" "
        "and remove data.text_columns and data.label_column");
  }

  std::unique_ptr<Reader> reader_;
  fs::path file_;
  data::BadRows bad_rows_;
  bool several_labels_;
  bool any_ = false;
  std::int64_t skipped_ = 0;
  std::string first_bad_;
};

}  // namespace

void register_reader(ReaderRow row) { readers().add(std::move(row)); }

std::vector<std::string> reader_names() { return readers().names(); }

bool has_columns(const std::string& format) { return readers().find(format).has_columns; }

std::unique_ptr<Reader> open_reader(const DataConfig& config, const fs::path& file) {
  if (has_columns(config.format) && fs::is_directory(file)) {
    throw std::invalid_argument(
        file.string() + ": is a folder, but data.format = \"" + config.format +
        "\" reads a file; for a folder of each class set data.format = \"folders\" and remove "
        "data.text_columns and data.label_column");
  }
  return std::make_unique<CheckedReader>(readers().find(config.format).open(config, file), file,
                                         config);
}

void for_each_example(const DataConfig& config, const std::vector<std::string>& files,
                      const std::function<void(Example&)>& visit,
                      std::vector<std::string>* notices) {
  Example example;
  for (const auto& file : files) {
    base::naming_memory([&] { return "what is read of " + base::excerpt(file, 500); },
                        [&] {
                          const auto reader = open_reader(config, file);
                          while (reader->next(example)) visit(example);
                          if (notices == nullptr) return;
                          for (auto& notice : reader->notices())
                            notices->push_back(std::move(notice));
                        });
  }
}

}  // namespace fastformer::classification

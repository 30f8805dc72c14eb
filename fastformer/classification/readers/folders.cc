#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "fastformer/classification/data_config.h"
#include "fastformer/classification/readers/formats.h"
#include "fastformer/data/line_stream.h"

namespace fastformer::classification {
namespace {

namespace fs = std::filesystem;

bool is_hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

void add_files(const fs::path& folder, std::vector<fs::path>& files) {
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (is_hidden(entry->path())) {
      entry.disable_recursion_pending();
    } else if (entry->is_regular_file()) {
      files.push_back(entry->path());
    }
  }
  if (error) {
    throw std::invalid_argument(folder.string() + ": cannot be listed: " + error.message() +
                                "; check its permissions");
  }
}

class FoldersReader final : public Reader {
 public:
  FoldersReader(const DataConfig& config, const fs::path& folder)
      : root_(folder), encoding_(config.encoding) {
    if (!fs::is_directory(folder)) {
      throw std::invalid_argument(
          folder.string() + ": is not a folder; give a folder with a subfolder for each class");
    }
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.is_directory() && !is_hidden(entry.path())) add_files(entry.path(), files_);
    }
    std::sort(files_.begin(), files_.end());
    refuse_parts();
  }

  bool next(Example& example) override {
    if (position_ == files_.size()) return false;
    const fs::path& file = files_[position_++];
    example.text = data::read_document(file, encoding_);
    example.label = file.lexically_relative(root_).begin()->string();
    example.group.clear();
    example.where = file.string();
    return true;
  }

 private:
  // Folders of parts have those of the classes in them.
  void refuse_parts() const {
    static const std::set<std::string> parts = {"train", "training", "validation", "valid",
                                                "val",   "dev",      "test",       "testing"};
    std::set<std::string> classes;
    for (const auto& file : files_)
      classes.insert(file.lexically_relative(root_).begin()->string());
    if (classes.size() < 2 || !std::ranges::includes(parts, classes)) return;
    const auto& first = *classes.begin();
    throw std::invalid_argument(
        root_.string() + ": its folders, such as '" + first +
        "', are parts of a data set, not classes; give the folder of each part, "
        "such as data." +
        (first.starts_with("t") ? "test" : "validation") + " = [\"" + (root_ / first).string() +
        "\"]");
  }

  fs::path root_;
  data::TextEncoding encoding_;
  std::vector<fs::path> files_;
  std::size_t position_ = 0;
};

}  // namespace

std::unique_ptr<Reader> open_folders(const DataConfig& config, const fs::path& folder) {
  return std::make_unique<FoldersReader>(config, folder);
}

}  // namespace fastformer::classification

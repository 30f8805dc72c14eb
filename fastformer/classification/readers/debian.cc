#include <filesystem>
#include <memory>
#include <utility>

#include "fastformer/classification/data_config.h"
#include "fastformer/classification/readers/formats.h"
#include "fastformer/data/debian_index.h"

namespace fastformer::classification {
namespace {

class DebianReader final : public Reader {
 public:
  DebianReader(const DataConfig& config, const std::filesystem::path& file)
      : index_(file, config.encoding) {}
  bool next(Example& example) override;

 private:
  data::DebianIndex index_;
};

bool DebianReader::next(Example& example) {
  data::DebianPackage package;
  do {
    if (!index_.next(package)) return false;
  } while (package.description.empty());
  example.where = index_.where(package);
  example.group = package.group();
  example.text = std::move(package.description);
  example.label = std::move(package.section);
  return true;
}

}  // namespace

std::unique_ptr<Reader> open_debian(const DataConfig& config, const std::filesystem::path& file) {
  return std::make_unique<DebianReader>(config, file);
}

}  // namespace fastformer::classification

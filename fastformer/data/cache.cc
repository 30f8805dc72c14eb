#include "fastformer/data/cache.h"

#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <system_error>
#include <variant>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/config_value.h"
#include "fastformer/base/format.h"

namespace fastformer::data {
namespace {

namespace fs = std::filesystem;

void add_file(const fs::directory_entry& file, CacheKey& key) {
  key.add(fs::absolute(file.path()).lexically_normal().string());
  key.add(static_cast<std::int64_t>(file.file_size()));
  key.add(static_cast<std::int64_t>(file.last_write_time().time_since_epoch().count()));
}

class FieldHasher final : public base::FieldVisitor {
 public:
  explicit FieldHasher(CacheKey& key) : key_(key) {}

  void visit(const std::string& name, base::FieldRef field, const char*,
             const base::Constraint&) override {
    key_.add(name);
    key_.add(base::toml_text(base::value_of(field, "")));
  }
  void begin_table(const std::string& name, const char*) override { key_.add("[" + name); }
  void end_table() override { key_.add("]"); }

 private:
  CacheKey& key_;
};

// Removes a folder that was not finished when building it throws.
class FreshFolder {
 public:
  explicit FreshFolder(const fs::path& place) : path_(place) {
    path_ += ".tmp." + std::to_string(::getpid());
    std::error_code ignored;
    fs::remove_all(path_, ignored);
    base::create_folder(path_);
  }
  FreshFolder(const FreshFolder&) = delete;
  FreshFolder& operator=(const FreshFolder&) = delete;
  ~FreshFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

}  // namespace

void CacheKey::add_fields(const std::function<void(base::FieldVisitor&)>& visit) {
  FieldHasher hasher(*this);
  visit(hasher);
}

void CacheKey::add_source(const fs::path& source) {
  std::error_code error;
  const fs::directory_entry entry(source, error);
  if (source == "-" || !entry.exists(error)) {
    throw std::invalid_argument(source.string() +
                                (source == "-" ? ": the standard input cannot be read several "
                                                 "times; give a file"
                                               : ": does not exist; check the path"));
  }
  if (entry.is_regular_file()) return add_file(entry, *this);
  if (!entry.is_directory()) {
    throw std::invalid_argument(source.string() +
                                ": is neither a file nor a folder; data are read several times, "
                                "give a regular file");
  }
  std::vector<fs::directory_entry> files;
  for (const auto& file : fs::recursive_directory_iterator(source)) {
    if (file.is_regular_file()) files.push_back(file);
  }
  std::sort(files.begin(), files.end());
  for (const auto& file : files) add_file(file, *this);
}

std::string CacheKey::hexadecimal() const {
  return base::format("%016llx", static_cast<unsigned long long>(base::mix64(hash_)));
}

fs::path prepared_folder(const fs::path& cache, const CacheKey& key,
                         const std::function<void(const fs::path& fresh)>& build) {
  const fs::path folder = cache / key.hexadecimal();
  if (fs::exists(folder / kDatasetFile)) return folder;
  const FreshFolder fresh(folder);
  build(fresh.path());
  std::error_code error;
  fs::rename(fresh.path(), folder, error);
  if (error && !fs::exists(folder / kDatasetFile)) {
    throw std::runtime_error(folder.string() + ": cannot be made: " + error.message() +
                             "; if an incomplete folder of that name is there, delete it");
  }
  base::sync_directory(folder.parent_path());
  return folder;
}

}  // namespace fastformer::data

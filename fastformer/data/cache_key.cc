#include "fastformer/data/cache_key.h"

#include <algorithm>
#include <stdexcept>
#include <system_error>

namespace fastformer::data {
namespace {

namespace fs = std::filesystem;

void add_file(const fs::directory_entry& file, CacheKey& key) {
  key.add(fs::absolute(file.path()).lexically_normal().string());
  key.add(static_cast<std::int64_t>(file.file_size()));
  key.add(static_cast<std::int64_t>(file.last_write_time().time_since_epoch().count()));
}

}  // namespace

void CacheKey::add_source(const std::string& source) {
  std::error_code error;
  const fs::directory_entry entry(source, error);
  if (source == "-" || !entry.exists(error)) {
    throw std::invalid_argument(source + (source == "-" ? ": the standard input cannot be read "
                                                          "several times; give a file"
                                                        : ": does not exist; check the path"));
  }
  if (entry.is_regular_file()) return add_file(entry, *this);
  if (!entry.is_directory()) {
    throw std::invalid_argument(source +
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
  char text[17];
  std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(base::mix64(hash_)));
  return text;
}

}  // namespace fastformer::data

#include "fastformer/data/cache.h"

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/config_value.h"
#include "fastformer/base/format.h"
#include "fastformer/base/fresh_path.h"

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

constexpr const char* kChecksumsFile = "checksums.json";

std::string checksum_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::vector<std::uint64_t> words(std::size_t{1} << 15);
  auto* const bytes = reinterpret_cast<char*>(words.data());
  std::uint64_t hash = base::kChecksumStart;
  std::int64_t size = 0;
  while (in) {
    std::fill(words.begin(), words.end(), 0);
    in.read(bytes, static_cast<std::streamsize>(words.size() * sizeof(words[0])));
    size += in.gcount();
    const auto count = (static_cast<std::size_t>(in.gcount()) + 7) / 8;
    hash = base::checksum(std::span<const std::uint64_t>(words).first(count), hash);
  }
  hash = base::checksum(std::span<const std::int64_t>(&size, 1), hash);
  return base::hexadecimal(base::mix64(hash));
}

// By their path inside the folder.
std::map<std::string, std::string> checksums_of(const fs::path& folder) {
  std::map<std::string, std::string> checksums;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const auto name = entry.path().lexically_relative(folder).string();
    if (entry.is_regular_file() && name != kChecksumsFile) checksums[name] = checksum_of(entry);
  }
  return checksums;
}

// The first file of the folder that is not as it was written; empty: none.
std::string damaged_file(const fs::path& folder) {
  std::map<std::string, std::string> written;
  try {
    nlohmann::json::parse(base::read_small_file(folder / kChecksumsFile)).get_to(written);
  } catch (const nlohmann::json::exception&) {
    return kChecksumsFile;
  }
  const auto found = checksums_of(folder);
  for (const auto& [name, checksum] : written) {
    const auto file = found.find(name);
    if (file == found.end() || file->second != checksum) return name;
  }
  return {};
}

}  // namespace

void CacheKey::add_fields(const std::function<void(base::FieldVisitor&)>& visit) {
  FieldHasher hasher(*this);
  visit(hasher);
}

void CacheKey::add_source(const fs::path& source) {
  std::error_code error;
  const fs::directory_entry entry(source, error);
  if (source == "-" || !entry.exists(error)) {
    throw std::invalid_argument(source == "-"
                                    ? "-: standard input can be read only once; give a file"
                                    : base::not_found(source.string()));
  }
  if (entry.is_regular_file()) return add_file(entry, *this);
  if (!entry.is_directory()) {
    throw std::invalid_argument(
        source.string() +
        ": is neither a file nor a folder; the data is read several times: give a regular file");
  }
  std::vector<fs::directory_entry> files;
  for (const auto& file : fs::recursive_directory_iterator(source)) {
    if (file.is_regular_file()) files.push_back(file);
  }
  std::sort(files.begin(), files.end());
  for (const auto& file : files) add_file(file, *this);
}

std::string CacheKey::hexadecimal() const { return base::hexadecimal(base::mix64(hash_)); }

fs::path prepared_folder(const fs::path& cache, const CacheKey& key,
                         const std::function<void(const fs::path& fresh)>& build,
                         const Notice& notice) {
  const fs::path folder = cache / key.hexadecimal();
  base::remove_leftovers(cache);
  const bool there = fs::exists(folder / kChecksumsFile);
  const auto damaged = there ? damaged_file(folder) : std::string();
  if (there && damaged.empty()) return folder;
  if (there && notice) {
    notice((folder / damaged).string() + ": is damaged; the data is prepared again");
  }
  base::FreshFolder fresh(folder);
  build(fresh.path());
  base::write_file_atomically(fresh.path() / kChecksumsFile,
                              nlohmann::json(checksums_of(fresh.path())).dump(2) + "\n");
  if (there) {
    fresh.move_into_place();
  } else if (!fresh.move_into_free_place() && !fs::exists(folder / kChecksumsFile)) {
    throw std::runtime_error(folder.string() +
                             ": is not a complete folder of prepared data; move it elsewhere");
  }
  return folder;
}

}  // namespace fastformer::data

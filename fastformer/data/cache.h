#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "fastformer/base/config_field.h"
#include "fastformer/base/random.h"

namespace fastformer::data {

/// Combines everything that prepared data depends on into one hash. Each value is hashed with its
/// length, so that different sequences of values do not collide trivially.
class CacheKey {
 public:
  void add(const std::string& text) {
    hash_ = base::fnv1a(std::to_string(text.size()) + ":" + text, hash_);
  }
  void add(std::int64_t number) { add(std::to_string(number)); }
  /// Adds the names and values of all fields.
  template <class Config>
  void add_config(Config config) {
    add_fields([&](base::FieldVisitor& visitor) { config.visit_fields(visitor); });
  }
  /// Adds name, size and modification time of a file, or of each file in a folder. Throws
  /// std::invalid_argument for a source that does not exist or cannot be read twice (a pipe).
  void add_source(const std::filesystem::path& source);

  /// The hash as 16 hexadecimal digits.
  std::string hexadecimal() const;

 private:
  void add_fields(const std::function<void(base::FieldVisitor&)>& visit);

  std::uint64_t hash_ = base::fnv1a("");
};

/// The file of a prepared folder in which a task stores information besides the tokens.
inline constexpr const char* kDatasetFile = "dataset.json";

/// Receives messages for the user; may be empty.
using Notice = std::function<void(const std::string&)>;

/// Returns the folder `cache`/<key> of the prepared data. If it does not exist, `build` fills a
/// temporary folder, which gets the checksums of its files and is then renamed, so that the folder
/// appears as a whole or not at all. If another process was faster, its folder is used: the key is
/// the same. If a file does not match its checksum, the folder is built again, with a notice.
/// Leftovers of killed processes in `cache` are removed.
///
///   const auto folder = data::prepared_folder(cache, key, [&](const auto& fresh) { ... }, notice);
///
/// Throws what `build` throws, and std::runtime_error if a file cannot be written.
std::filesystem::path prepared_folder(
    const std::filesystem::path& cache, const CacheKey& key,
    const std::function<void(const std::filesystem::path& fresh)>& build,
    const Notice& notice = {});

}  // namespace fastformer::data

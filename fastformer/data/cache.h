#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "fastformer/base/config_field.h"
#include "fastformer/base/random.h"

namespace fastformer::data {

/// Collects all that prepared data depend on into one hash, each value with its length so that no
/// two lists look alike.
class CacheKey {
 public:
  void add(const std::string& text) {
    hash_ = base::fnv1a(std::to_string(text.size()) + ":" + text, hash_);
  }
  void add(std::int64_t number) { add(std::to_string(number)); }
  /// Names and values of all fields.
  template <class Config>
  void add_config(Config config) {
    add_fields([&](base::FieldVisitor& visitor) { config.visit_fields(visitor); });
  }
  /// Name, size and time of change of a file, or of each file in a folder. Throws
  /// std::invalid_argument for a source that does not exist or cannot be read again.
  void add_source(const std::filesystem::path& source);

  /// 16 digits.
  std::string hexadecimal() const;

 private:
  void add_fields(const std::function<void(base::FieldVisitor&)>& visit);

  std::uint64_t hash_ = base::fnv1a("");
};

/// The file that a prepared folder gets last: without it a folder is not complete.
inline constexpr const char* kDatasetFile = "dataset.json";

/// The folder `cache`/<key>, where prepared data lie. Where it is not there yet, `build` fills it
/// under another name, kDatasetFile last, and it is renamed: it appears whole or not at all. When
/// another process was first, its folder stays, which the same key makes as good.
///
///   const auto folder = data::prepared_folder(cache, key, [&](const auto& fresh) { ... });
///
/// Throws what `build` throws, and std::runtime_error when the disk refuses.
std::filesystem::path prepared_folder(
    const std::filesystem::path& cache, const CacheKey& key,
    const std::function<void(const std::filesystem::path& fresh)>& build);

}  // namespace fastformer::data

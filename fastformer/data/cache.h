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

/// Where a task keeps what it knows of the data beside the tokens.
inline constexpr const char* kDatasetFile = "dataset.json";

/// Takes sentences for the user; may be empty.
using Notice = std::function<void(const std::string&)>;

/// The folder `cache`/<key>, where prepared data lie. Where it is not there yet, `build` fills it
/// under another name; it gets the checksums of all its files and is renamed: it appears whole or
/// not at all. When another process was first, its folder stays, which the same key makes as good.
/// A folder whose files do not match their checksums is made again, with a notice. What killed
/// processes left in `cache` is removed.
///
///   const auto folder = data::prepared_folder(cache, key, [&](const auto& fresh) { ... }, notice);
///
/// Throws what `build` throws, and std::runtime_error when the disk refuses.
std::filesystem::path prepared_folder(
    const std::filesystem::path& cache, const CacheKey& key,
    const std::function<void(const std::filesystem::path& fresh)>& build,
    const Notice& notice = {});

}  // namespace fastformer::data

#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "fastformer/base/random.h"

namespace fastformer::data {

/// Collects all that prepared data depend on into one hash, each value with its length so that no
/// two lists look alike.
class CacheKey {
 public:
  void add(const std::string& text) {
    hash_ = base::fnv1a(std::to_string(text.size()) + ":" + text, hash_);
  }
  void add(const std::vector<std::string>& texts) {
    add(static_cast<std::int64_t>(texts.size()));
    for (const auto& text : texts) add(text);
  }
  void add(std::int64_t number) { add(std::to_string(number)); }
  void add(bool flag) { add(std::int64_t{flag}); }
  void add(double number) {
    char text[40];
    std::snprintf(text, sizeof(text), "%a", number);
    add(std::string(text));
  }
  template <class Config>
  void add_config(const Config& config) {
    Config::visit_fields(config, [&](const char* name, const auto& field, const char*, auto&&...) {
      add(std::string(name));
      add(field);
    });
  }
  /// Name, size and time of change of a file, or of each file in a folder. Throws
  /// std::invalid_argument for a source that does not exist or cannot be read again.
  void add_source(const std::string& source);

  /// 16 digits.
  std::string hexadecimal() const;

 private:
  std::uint64_t hash_ = base::fnv1a("");
};

}  // namespace fastformer::data

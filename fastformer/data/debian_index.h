#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "fastformer/data/line_stream.h"

namespace fastformer::data {

/// One paragraph of a package index.
struct DebianPackage {
  std::string name, source, section, depends;
  std::string description;  ///< short, then long; without lines that only repeat the name
  std::int64_t line = 0;    ///< first line of the paragraph, from 1

  /// The source package: packages built from one source have similar descriptions.
  const std::string& group() const { return source.empty() ? name : source; }
};

/// An index of Debian packages (the Packages file of a mirror, or `apt-cache dumpavail`):
/// paragraphs of "Field: value" lines. A continuation line begins with a space.
///
///   Package: fastd
///   Section: contrib/net          "net": the area says nothing about the topic
///   Source: fastd-src (1.2)       "fastd-src"
///   Depends: libc6 (>= 2.34)
///   Description: small VPN daemon
///    It runs on routers.
///
/// Throws std::invalid_argument with file and line for text that is not such a paragraph.
class DebianIndex {
 public:
  explicit DebianIndex(const std::filesystem::path& file, const TextEncoding& encoding = {})
      : lines_(file, encoding) {}

  /// Reads the next package, which may have no description; false at the end.
  bool next(DebianPackage& package);
  std::string where(const DebianPackage& package) const { return lines_.where(package.line); }

 private:
  void add_line(DebianPackage& package);

  LineStream lines_;
  std::string line_;
  bool in_description_ = false;
};

}  // namespace fastformer::data

#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "fastformer/data/line_stream.h"
#include "fastformer/data/reader.h"

namespace fastformer::data {

/// An index of Debian packages (the Packages file of a mirror, or `apt-cache dumpavail`):
/// paragraphs of "Field: value" lines, a continuation begins with a space.
///
///   Package: fastd
///   Section: contrib/net          label "net": the area says nothing about the topic
///   Source: fastd-src (1.2)       group: the packages of a source describe themselves alike
///   Description: small VPN daemon
///    It runs on routers.          text: short and long description
///
/// Nothing but the description is text, and a line of it that is the package's name is left out,
/// because names ("lib...-dev", "...-doc") give the section away. Packages without a description
/// are skipped.
class DebianReader final : public Reader {
 public:
  DebianReader(const DataConfig&, const std::filesystem::path& file) : lines_(file) {}
  bool next(Example& example) override;

 private:
  struct Paragraph {
    std::string package, source, section, description;
    std::int64_t first_line = 0;
  };

  bool read_paragraph(Paragraph& paragraph);
  void add_field(Paragraph& paragraph);

  LineStream lines_;
  std::string line_;
  bool in_description_ = false;
};

}  // namespace fastformer::data

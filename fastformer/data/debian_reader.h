#pragma once

#include <filesystem>

#include "fastformer/data/debian_index.h"
#include "fastformer/data/reader.h"

namespace fastformer::data {

/// A package index (see DebianIndex) as documents: the text is the description, the label the
/// section, the group the source. Nothing but the description is text, and a line of it that is the
/// package's name is left out, because names ("lib...-dev", "...-doc") give the section away.
/// Packages without a description are skipped.
class DebianReader final : public Reader {
 public:
  DebianReader(const DataConfig&, const std::filesystem::path& file) : index_(file) {}
  bool next(Example& example) override;

 private:
  DebianIndex index_;
};

}  // namespace fastformer::data

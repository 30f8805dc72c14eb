#pragma once

#include <string>
#include <string_view>

namespace fastformer::data {

/// What a file is that holds no plain text.
struct FileKind {
  std::string_view name;    ///< "a Parquet table"
  std::string_view advice;  ///< a command that makes text of it, with FILE for its name
};

/// The kind that the first bytes of a file show; null for what may be text.
const FileKind* kind_of_bytes(std::string_view head);

/// The kind that a member of that name gives a zip archive, such as an Excel workbook; null for
/// others.
const FileKind* kind_of_member(std::string_view name);

/// Throws std::invalid_argument that names the file, what it is and how to make text of it.
[[noreturn]] void refuse_kind(const FileKind& kind, const std::string& file);

}  // namespace fastformer::data

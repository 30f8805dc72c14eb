#pragma once

#include <string>
#include <string_view>

namespace fastformer::data {

/// A kind of file that contains no plain text.
struct FileKind {
  std::string_view name;    ///< "a Parquet table"
  std::string_view advice;  ///< a command that converts it to text; FILE stands for its name
};

/// The kind of a file by its first bytes; null if it may be text.
const FileKind* kind_of_bytes(std::string_view head);

/// The kind of a zip archive, such as an Excel workbook, by the name of one of its members; null if
/// the name identifies none.
const FileKind* kind_of_member(std::string_view name);

/// Throws std::invalid_argument naming the file, its kind, and how to convert it to text.
[[noreturn]] void refuse_kind(const FileKind& kind, const std::string& file);

}  // namespace fastformer::data

#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct archive;
struct archive_entry;

namespace fastformer::data {

/// Reads a file block by block: plain, compressed (gzip, zstd, bzip2, xz), or the only file of a
/// zip or tar archive. The format is detected from the content.
///
///   ByteSource source("reviews.csv.gz");
///   for (auto block = source.next(); !block.empty(); block = source.next()) use(block);
///
/// The path "-" is the standard input. Throws std::invalid_argument if the file is missing,
/// unreadable, a folder, damaged, an archive of several files, or of a kind that contains no text
/// (see FileKind).
class ByteSource {
 public:
  explicit ByteSource(const std::filesystem::path& path);

  /// Opens the file with that name in any folder of a zip archive; nullopt if the archive has no
  /// such file. Throws as the constructor does.
  static std::optional<ByteSource> in_zip(const std::filesystem::path& archive,
                                          const std::string& name);

  /// The next bytes, valid until the next call; empty at the end.
  std::string_view next();

  /// The path for messages.
  const std::string& name() const { return name_; }

 private:
  struct Close {
    void operator()(archive* handle) const;
  };

  ByteSource() = default;
  void open(const std::filesystem::path& path);
  bool next_member(std::string& member);
  void open_member(const std::filesystem::path& path);
  std::string_view read();
  void check_no_other_member();
  [[noreturn]] void fail(const std::string& cause) const;

  std::string name_;
  std::unique_ptr<archive, Close> archive_;
  bool only_member_ = true;  ///< reject an archive with another member
  bool started_ = false, at_end_ = false;
};

}  // namespace fastformer::data

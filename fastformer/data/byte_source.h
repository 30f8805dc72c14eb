#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct archive;
struct archive_entry;

namespace fastformer::data {

/// The bytes of a file, plain or compressed (gzip, zstd, bzip2, xz), or of the only file of a zip
/// or tar archive; what it is, its content tells.
///
///   ByteSource source("reviews.csv.gz");
///   for (auto block = source.next(); !block.empty(); block = source.next()) use(block);
///
/// The path "-" is the standard input. Throws std::invalid_argument with one sentence for a file
/// that is missing, unreadable, a folder, damaged, an archive of several files, or of a kind that
/// holds no text (see FileKind).
class ByteSource {
 public:
  explicit ByteSource(const std::filesystem::path& path);

  /// The file of that name in a zip archive, in whatever folder of it; nothing where it has none.
  /// Throws as the constructor.
  static std::optional<ByteSource> in_zip(const std::filesystem::path& archive,
                                          const std::string& name);

  /// The next bytes, valid until the next call; empty at the end.
  std::string_view next();

  /// The path as it is shown in messages.
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
  bool only_member_ = true;  ///< no other may follow
  bool started_ = false, at_end_ = false;
};

}  // namespace fastformer::data

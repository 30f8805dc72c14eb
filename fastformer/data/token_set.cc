#include "fastformer/data/token_set.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>
#include <system_error>

#include "fastformer/data/token_file.h"

namespace fastformer::data {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& what) {
  throw std::invalid_argument(path.string() + ": " + what);
}

[[noreturn]] void fail_damaged(const std::filesystem::path& path, const std::string& what) {
  fail(path, what + "; delete it, so that it is made again");
}

// A file's bytes, read-only.
class Mapping {
 public:
  explicit Mapping(const std::filesystem::path& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) fail(path, "cannot be opened: " + message());
    struct stat status{};
    if (::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode)) {
      size_ = static_cast<std::size_t>(status.st_size);
    }
    if (size_ >= sizeof(TokenFileHeader)) {
      data_ = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, descriptor, 0);
    }
    const std::string cause = message();
    ::close(descriptor);
    if (size_ < sizeof(TokenFileHeader)) fail_damaged(path, "is no token set, it is too short");
    if (data_ == MAP_FAILED) fail(path, "cannot be mapped into memory: " + cause);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() { ::munmap(data_, size_); }

  std::size_t size() const { return size_; }
  template <class T>
  const T* at(std::size_t position) const {
    return reinterpret_cast<const T*>(static_cast<const char*>(data_) + position);
  }

 private:
  static std::string message() { return std::generic_category().message(errno); }

  void* data_ = MAP_FAILED;
  std::size_t size_ = 0;
};

TokenFileHeader read_header(const Mapping& mapping, const std::filesystem::path& path) {
  const TokenFileHeader expected;
  TokenFileHeader header;
  std::memcpy(&header, mapping.at<char>(0), sizeof(header));
  if (header.magic != expected.magic) fail_damaged(path, "is no token set");
  if (header.version != expected.version || header.byte_order != expected.byte_order) {
    fail_damaged(path, "was written by another version or another kind of machine");
  }
  // Bounds first: the sizes are not to overflow in what follows.
  const auto limit = static_cast<std::int64_t>(mapping.size());
  const bool plausible =
      header.rows >= 0 && header.rows <= limit && header.tokens >= 0 && header.tokens <= limit;
  const std::size_t size =
      plausible ? offsets_position(header.tokens) + static_cast<std::size_t>(header.rows) * 12 + 8
                : 0;
  if (size != mapping.size()) {
    fail_damaged(path, "is damaged, it has " + std::to_string(mapping.size()) +
                           " bytes, which its header does not account for");
  }
  return header;
}

}  // namespace

struct TokenSet::Content {
  explicit Content(const std::filesystem::path& path);

  Mapping mapping;
  TokenFileHeader header;
  std::span<const std::int32_t> tokens, labels;
  std::span<const std::int64_t> offsets;
  std::int64_t empty = 0;
};

TokenSet::Content::Content(const std::filesystem::path& path)
    : mapping(path), header(read_header(mapping, path)) {
  const auto rows = static_cast<std::size_t>(header.rows);
  const std::size_t position = offsets_position(header.tokens);
  tokens = {mapping.at<std::int32_t>(sizeof(header)), static_cast<std::size_t>(header.tokens)};
  offsets = {mapping.at<std::int64_t>(position), rows + 1};
  labels = {mapping.at<std::int32_t>(position + (rows + 1) * sizeof(std::int64_t)), rows};
  const std::uint64_t sum =
      checksum(header, checksum(labels, checksum(offsets, checksum(tokens, kChecksumStart))));
  bool ordered = offsets.front() == 0 && offsets.back() == header.tokens;
  for (std::size_t row = 0; row < rows; ++row) {
    ordered = ordered && offsets[row] <= offsets[row + 1];
    if (offsets[row] == offsets[row + 1]) ++empty;
  }
  if (sum != header.checksum || !ordered) {
    fail_damaged(path, "is damaged, its checksum does not match");
  }
}

TokenSet::TokenSet() = default;
TokenSet::~TokenSet() = default;
TokenSet::TokenSet(TokenSet&&) noexcept = default;
TokenSet& TokenSet::operator=(TokenSet&&) noexcept = default;

TokenSet TokenSet::open(const std::filesystem::path& path) {
  TokenSet set;
  set.content_ = std::make_unique<const Content>(path);
  return set;
}

std::int64_t TokenSet::size() const { return content_ ? content_->header.rows : 0; }
std::int64_t TokenSet::total_tokens() const { return content_ ? content_->header.tokens : 0; }
std::int64_t TokenSet::truncated() const { return content_ ? content_->header.truncated : 0; }
std::int64_t TokenSet::empty() const { return content_ ? content_->empty : 0; }

std::int32_t TokenSet::label(std::int64_t row) const {
  if (row < 0 || row >= size()) {
    throw std::out_of_range("row " + std::to_string(row) + " of a token set with " +
                            std::to_string(size()) + " rows");
  }
  return content_->labels[static_cast<std::size_t>(row)];
}

std::span<const std::int32_t> TokenSet::tokens(std::int64_t row) const {
  label(row);  // checks the row
  const auto begin = static_cast<std::size_t>(content_->offsets[static_cast<std::size_t>(row)]);
  const auto end = static_cast<std::size_t>(content_->offsets[static_cast<std::size_t>(row) + 1]);
  return content_->tokens.subspan(begin, end - begin);
}

}  // namespace fastformer::data

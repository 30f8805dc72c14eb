#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <system_error>

#include "fastformer/base/atomic_file.h"
#include "fastformer/data/token_file.h"
#include "fastformer/data/token_set.h"

namespace fastformer::data {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 20;

std::filesystem::path temporary_name(const std::filesystem::path& path) {
  static std::atomic<unsigned> counter{0};
  auto name = path;
  name += ".tmp." + std::to_string(::getpid()) + "." + std::to_string(counter++);
  return name;
}

}  // namespace

TokenSetWriter::TokenSetWriter(const std::filesystem::path& path)
    : path_(path), temporary_(temporary_name(path)), checksum_(kChecksumStart) {
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail(errno);
  buffer_.reserve(kBufferBytes);
  // finish() puts the real header here.
  const TokenFileHeader header;
  write(&header, sizeof(header));
}

TokenSetWriter::~TokenSetWriter() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
}

void TokenSetWriter::fail(int error) const {
  throw std::runtime_error(path_.string() +
                           ": cannot be written: " + std::generic_category().message(error) +
                           "; check the folder, its permissions and the free space");
}

void TokenSetWriter::flush() {
  for (std::size_t done = 0; done < buffer_.size();) {
    const ssize_t count = ::write(descriptor_, buffer_.data() + done, buffer_.size() - done);
    if (count < 0 && errno != EINTR) fail(errno);
    if (count > 0) done += static_cast<std::size_t>(count);
  }
  buffer_.clear();
}

void TokenSetWriter::write(const void* data, std::size_t size) {
  const char* bytes = static_cast<const char*>(data);
  buffer_.insert(buffer_.end(), bytes, bytes + size);
  if (buffer_.size() >= kBufferBytes) flush();
}

void TokenSetWriter::add(std::span<const std::int32_t> tokens, std::int32_t label, bool truncated) {
  write(tokens.data(), tokens.size_bytes());
  checksum_ = checksum(tokens, checksum_);
  offsets_.push_back(offsets_.back() + static_cast<std::int64_t>(tokens.size()));
  labels_.push_back(label);
  if (truncated) ++truncated_;
}

void TokenSetWriter::finish() {
  TokenFileHeader header;
  header.rows = static_cast<std::int64_t>(labels_.size());
  header.tokens = offsets_.back();
  header.truncated = truncated_;
  const std::int32_t padding = 0;
  if (header.tokens % 2 == 1) write(&padding, sizeof(padding));
  write(offsets_.data(), offsets_.size() * sizeof(offsets_[0]));
  write(labels_.data(), labels_.size() * sizeof(labels_[0]));
  flush();
  checksum_ = checksum(std::span<const std::int64_t>(offsets_), checksum_);
  checksum_ = checksum(std::span<const std::int32_t>(labels_), checksum_);
  header.checksum = checksum(header, checksum_);
  if (::pwrite(descriptor_, &header, sizeof(header), 0) != sizeof(header)) fail(errno);
  if (::fsync(descriptor_) != 0) fail(errno);
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) fail(errno);
  ::close(descriptor_);
  descriptor_ = -1;
  base::sync_directory(path_.parent_path());
}

}  // namespace fastformer::data

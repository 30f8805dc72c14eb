#include "fastformer/data/corpus.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include "fastformer/base/fresh_path.h"
#include "fastformer/base/random.h"

namespace fastformer::data {
namespace {

namespace fs = std::filesystem;

struct FileHeader {
  std::array<char, 8> magic = {'F', 'F', 'C', 'O', 'R', 'P', 'U', 'S'};
  std::uint32_t version = 1;
  std::uint32_t byte_order = 0x01020304;
  std::int64_t rows = 0;
  std::int64_t tokens = 0;
  std::int64_t truncated = 0;
  std::uint64_t checksum = 0;  // of tokens, offsets, records and the three counts, in this order
  std::array<std::int64_t, 2> reserved = {};
};
static_assert(sizeof(FileHeader) == 64);

std::uint64_t checksum(const FileHeader& header, std::uint64_t hash) {
  const std::array<std::int64_t, 3> counts = {header.rows, header.tokens, header.truncated};
  return base::checksum(std::span<const std::int64_t>(counts), hash);
}

// Where the offsets begin: the tokens end at a multiple of 4 bytes, offsets need 8.
std::size_t offsets_position(std::int64_t tokens) {
  return sizeof(FileHeader) + (static_cast<std::size_t>(tokens) + 1) / 2 * 8;
}

std::string error_text(int error) { return std::generic_category().message(error); }

[[noreturn]] void fail_damaged(const fs::path& path, const std::string& what) {
  throw std::invalid_argument(path.string() + ": " + what + "; delete the folder " +
                              path.parent_path().string() + " to prepare the data again");
}

// A file's bytes, read-only.
class Mapping {
 public:
  explicit Mapping(const fs::path& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
      throw std::invalid_argument(path.string() + ": cannot be opened: " + error_text(errno));
    }
    struct stat status{};
    if (::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode)) {
      size_ = static_cast<std::size_t>(status.st_size);
    }
    if (size_ >= sizeof(FileHeader)) {
      data_ = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, descriptor, 0);
    }
    const int error = errno;
    ::close(descriptor);
    if (size_ < sizeof(FileHeader)) fail_damaged(path, "is not a corpus: it is too short");
    if (data_ == MAP_FAILED) {
      throw std::invalid_argument(path.string() +
                                  ": cannot be mapped into memory: " + error_text(error));
    }
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() { ::munmap(data_, size_); }

  std::size_t size() const { return size_; }
  template <class T>
  std::span<const T> at(std::size_t position, std::size_t count) const {
    return {reinterpret_cast<const T*>(static_cast<const char*>(data_) + position), count};
  }

 private:
  void* data_ = MAP_FAILED;
  std::size_t size_ = 0;
};

FileHeader read_header(const Mapping& mapping, const fs::path& path) {
  const FileHeader expected;
  FileHeader header;
  std::memcpy(&header, mapping.at<char>(0, sizeof(header)).data(), sizeof(header));
  if (header.magic != expected.magic) fail_damaged(path, "is not a corpus");
  if (header.version != expected.version || header.byte_order != expected.byte_order) {
    fail_damaged(path, "was written by another version or another kind of machine");
  }
  // Bounds first: the sizes are not to overflow in what follows.
  const auto limit = static_cast<std::int64_t>(mapping.size());
  const bool plausible =
      header.rows >= 0 && header.rows <= limit && header.tokens >= 0 && header.tokens <= limit;
  const std::size_t size =
      plausible ? offsets_position(header.tokens) + static_cast<std::size_t>(header.rows) * 16 + 8
                : 0;
  if (size != mapping.size()) {
    fail_damaged(path, "is damaged: it has " + std::to_string(mapping.size()) +
                           " bytes, which does not match its header");
  }
  return header;
}

}  // namespace

// The spans lie in the mapped file or in the vectors.
struct Corpus::Content {
  explicit Content(const fs::path& path);
  Content(std::vector<std::int32_t> token_ids, std::vector<std::int64_t> ends,
          std::vector<std::int64_t> record_numbers, std::int64_t truncated_rows);

  std::optional<Mapping> mapping;
  std::vector<std::int32_t> own_tokens;
  std::vector<std::int64_t> own_offsets, own_records;

  std::span<const std::int32_t> tokens;
  std::span<const std::int64_t> offsets, records;
  std::int64_t truncated = 0, empty = 0;
  std::optional<std::uint64_t> file_checksum;

  std::uint64_t checksum() const {
    if (file_checksum) return *file_checksum;
    const FileHeader header{
        .rows = std::ssize(records), .tokens = std::ssize(tokens), .truncated = truncated};
    return data::checksum(header,
                          base::checksum(records, base::checksum(offsets, base::checksum(tokens))));
  }
};

Corpus::Content::Content(const fs::path& path) : mapping(std::in_place, path) {
  const auto header = read_header(*mapping, path);
  const auto rows = static_cast<std::size_t>(header.rows);
  const std::size_t position = offsets_position(header.tokens);
  tokens = mapping->at<std::int32_t>(sizeof(header), static_cast<std::size_t>(header.tokens));
  offsets = mapping->at<std::int64_t>(position, rows + 1);
  records = mapping->at<std::int64_t>(position + (rows + 1) * sizeof(std::int64_t), rows);
  truncated = header.truncated;
  bool ordered = offsets.front() == 0 && offsets.back() == header.tokens;
  for (std::size_t row = 0; row < rows; ++row) {
    ordered = ordered && offsets[row] <= offsets[row + 1];
    if (offsets[row] == offsets[row + 1]) ++empty;
  }
  if (checksum() != header.checksum || !ordered) {
    fail_damaged(path, "is damaged: its checksum does not match");
  }
  file_checksum = header.checksum;
}

Corpus::Content::Content(std::vector<std::int32_t> token_ids, std::vector<std::int64_t> ends,
                         std::vector<std::int64_t> record_numbers, std::int64_t truncated_rows)
    : own_tokens(std::move(token_ids)),
      own_offsets(std::move(ends)),
      own_records(std::move(record_numbers)),
      tokens(own_tokens),
      offsets(own_offsets),
      records(own_records),
      truncated(truncated_rows) {
  for (std::size_t row = 0; row < records.size(); ++row) {
    if (offsets[row] == offsets[row + 1]) ++empty;
  }
}

Corpus::Corpus() = default;
Corpus::Corpus(std::unique_ptr<const Content> content) : content_(std::move(content)) {}
Corpus::~Corpus() = default;
Corpus::Corpus(Corpus&&) noexcept = default;
Corpus& Corpus::operator=(Corpus&&) noexcept = default;

Corpus Corpus::open(const fs::path& path, std::int64_t tokens) {
  auto content = std::make_unique<Content>(path);
  for (const auto token : content->tokens) {
    if (token >= 0 && token < tokens) continue;
    fail_damaged(path, "is damaged, it holds the number " + std::to_string(token) +
                           ", expected one from 0 to " + std::to_string(tokens - 1));
  }
  return Corpus(std::move(content));
}

std::int64_t Corpus::size() const { return content_ ? std::ssize(content_->records) : 0; }
std::int64_t Corpus::total_tokens() const { return content_ ? std::ssize(content_->tokens) : 0; }
std::int64_t Corpus::truncated() const { return content_ ? content_->truncated : 0; }
std::int64_t Corpus::empty() const { return content_ ? content_->empty : 0; }

std::int64_t Corpus::record(std::int64_t row) const {
  if (row < 0 || row >= size()) {
    throw std::out_of_range("row " + std::to_string(row) + " of a corpus with " +
                            std::to_string(size()) + " rows");
  }
  return content_->records[static_cast<std::size_t>(row)];
}

std::span<const std::int32_t> Corpus::tokens(std::int64_t row) const {
  record(row);  // checks the row
  const auto begin = static_cast<std::size_t>(content_->offsets[static_cast<std::size_t>(row)]);
  const auto end = static_cast<std::size_t>(content_->offsets[static_cast<std::size_t>(row) + 1]);
  return content_->tokens.subspan(begin, end - begin);
}

std::uint64_t Corpus::checksum() const { return content_ ? content_->checksum() : 0; }

std::vector<std::int64_t> Corpus::lengths() const {
  std::vector<std::int64_t> lengths(static_cast<std::size_t>(size()));
  for (std::size_t row = 0; row < lengths.size(); ++row) {
    lengths[row] = content_->offsets[row + 1] - content_->offsets[row];
  }
  return lengths;
}

// The file of a corpus while it is written, under another name.
class CorpusWriter::File {
 public:
  explicit File(fs::path path) : path_(std::move(path)), file_(path_) {
    buffer_.reserve(kBufferBytes);
    const FileHeader placeholder;  // finish() puts the real one here
    append(&placeholder, sizeof(placeholder));
  }

  template <class T>
  void write(std::span<const T> values) {
    append(values.data(), values.size_bytes());
    checksum_ = base::checksum(values, checksum_);
  }

  void pad() {
    const std::int32_t padding = 0;
    append(&padding, sizeof(padding));
  }

  void finish(FileHeader header) {
    flush();
    header.checksum = checksum(header, checksum_);
    if (::pwrite(file_.descriptor(), &header, sizeof(header), 0) != sizeof(header)) {
      base::throw_write_error(path_, errno);
    }
    file_.move_into_place();
  }

  const fs::path& path() const { return path_; }

 private:
  static constexpr std::size_t kBufferBytes = std::size_t{1} << 20;

  void append(const void* data, std::size_t size) {
    const char* bytes = static_cast<const char*>(data);
    buffer_.insert(buffer_.end(), bytes, bytes + size);
    if (buffer_.size() >= kBufferBytes) flush();
  }

  void flush() {
    for (std::size_t done = 0; done < buffer_.size();) {
      const ssize_t count =
          ::write(file_.descriptor(), buffer_.data() + done, buffer_.size() - done);
      if (count < 0 && errno != EINTR) base::throw_write_error(path_, errno);
      if (count > 0) done += static_cast<std::size_t>(count);
    }
    buffer_.clear();
  }

  fs::path path_;
  base::FreshFile file_;
  std::vector<char> buffer_;
  std::uint64_t checksum_ = base::kChecksumStart;
};

CorpusWriter::CorpusWriter(const fs::path& path)
    : file_(path.empty() ? nullptr : std::make_unique<File>(path)) {}

CorpusWriter::~CorpusWriter() = default;

std::int64_t CorpusWriter::size() const { return std::ssize(records_); }

void CorpusWriter::add(std::span<const std::int32_t> tokens, std::int64_t record, bool truncated) {
  if (file_) {
    file_->write(tokens);
  } else {
    tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
  }
  offsets_.push_back(offsets_.back() + static_cast<std::int64_t>(tokens.size()));
  records_.push_back(record);
  if (truncated) ++truncated_;
}

Corpus CorpusWriter::finish() {
  if (!file_) {
    return Corpus(std::make_unique<Corpus::Content>(std::move(tokens_), std::move(offsets_),
                                                    std::move(records_), truncated_));
  }
  if (offsets_.back() % 2 == 1) file_->pad();
  file_->write(std::span<const std::int64_t>(offsets_));
  file_->write(std::span<const std::int64_t>(records_));
  file_->finish({.rows = size(), .tokens = offsets_.back(), .truncated = truncated_});
  return Corpus(std::make_unique<Corpus::Content>(file_->path()));
}

}  // namespace fastformer::data

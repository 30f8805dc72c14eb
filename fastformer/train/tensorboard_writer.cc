#include "fastformer/train/tensorboard_writer.h"

#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <iterator>
#include <stdexcept>
#include <system_error>

#include "fastformer/base/atomic_file.h"

namespace fastformer::train {
namespace {

// Field numbers of tensorflow/core/util/event.proto and framework/summary.proto.
constexpr std::uint32_t kEventWallTime = 1;     // double
constexpr std::uint32_t kEventStep = 2;         // int64
constexpr std::uint32_t kEventFileVersion = 3;  // string
constexpr std::uint32_t kEventSummary = 5;      // Summary
constexpr std::uint32_t kEventSessionLog = 7;   // SessionLog
constexpr std::uint32_t kSummaryValue = 1;      // Summary.Value
constexpr std::uint32_t kValueTag = 1;          // string
constexpr std::uint32_t kValueSimpleValue = 2;  // float
constexpr std::uint32_t kSessionLogStatus = 1;  // enum
constexpr std::uint64_t kSessionStart = 1;

constexpr const char* kFilePrefix = "events.out.tfevents.";
constexpr const char* kFileSuffix = ".fastformer";  // other programs put the host's name here
constexpr std::size_t kLengthBytes = 8;
constexpr std::size_t kChecksumBytes = 4;

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table = {};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78u : 0u);
    table[byte] = crc;
  }
  return table;
}
constexpr auto kCrcTable = make_crc_table();

template <class Unsigned>
void append_little_endian(std::string& out, Unsigned value) {
  for (std::size_t byte = 0; byte < sizeof(value); ++byte) {
    out.push_back(static_cast<char>((value >> (8 * byte)) & 0xff));
  }
}

template <class Unsigned>
Unsigned read_little_endian(std::string_view bytes) {
  Unsigned value = 0;
  for (std::size_t byte = 0; byte < sizeof(value); ++byte) {
    value |= static_cast<Unsigned>(static_cast<unsigned char>(bytes[byte])) << (8 * byte);
  }
  return value;
}

// Checksums of data that itself holds checksums are weak; the format therefore masks them.
std::uint32_t masked_crc32c(std::string_view bytes) {
  return std::rotr(crc32c(bytes), 15) + 0xa282ead8u;
}

void append_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>((value & 0x7f) | 0x80));
  out.push_back(static_cast<char>(value));
}

enum class WireType : std::uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

void append_key(std::string& out, std::uint32_t field, WireType type) {
  append_varint(out, (field << 3) | static_cast<std::uint32_t>(type));
}

void append_bytes(std::string& out, std::uint32_t field, std::string_view bytes) {
  append_key(out, field, WireType::kBytes);
  append_varint(out, bytes.size());
  out += bytes;
}

std::string start_event(std::int64_t step) {
  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  std::string event;
  append_key(event, kEventWallTime, WireType::kFixed64);
  append_little_endian(event, std::bit_cast<std::uint64_t>(now.count()));
  append_key(event, kEventStep, WireType::kVarint);
  append_varint(event, static_cast<std::uint64_t>(step));
  return event;
}

std::string version_event() {
  std::string event = start_event(0);
  append_bytes(event, kEventFileVersion, "brain.Event:2");
  return event;
}

// Makes TensorBoard drop the points from this step on.
std::string restart_event(std::int64_t first_step) {
  std::string log;
  append_key(log, kSessionLogStatus, WireType::kVarint);
  append_varint(log, kSessionStart);
  std::string event = start_event(first_step);
  append_bytes(event, kEventSessionLog, log);
  return event;
}

std::string scalar_event(const std::string& tag, double value, std::int64_t step) {
  std::string entry;
  append_bytes(entry, kValueTag, tag);
  append_key(entry, kValueSimpleValue, WireType::kFixed32);
  append_little_endian(entry, std::bit_cast<std::uint32_t>(static_cast<float>(value)));
  std::string summary;
  append_bytes(summary, kSummaryValue, entry);
  std::string event = start_event(step);
  append_bytes(event, kEventSummary, summary);
  return event;
}

/// Length of the longest beginning of `bytes` that consists of whole, undamaged records.
std::size_t whole_records(std::string_view bytes) {
  std::size_t end = 0;
  while (bytes.size() - end >= kLengthBytes + kChecksumBytes) {
    const std::string_view rest = bytes.substr(end);
    const std::string_view header = rest.substr(0, kLengthBytes);
    const auto length = read_little_endian<std::uint64_t>(header);
    const std::size_t frame = kLengthBytes + 2 * kChecksumBytes;
    if (rest.size() < frame || length > rest.size() - frame) break;
    const std::string_view content = rest.substr(kLengthBytes + kChecksumBytes, length);
    if (read_little_endian<std::uint32_t>(rest.substr(kLengthBytes)) != masked_crc32c(header) ||
        read_little_endian<std::uint32_t>(rest.substr(frame - kChecksumBytes + length)) !=
            masked_crc32c(content)) {
      break;
    }
    end += frame + length;
  }
  return end;
}

/// The names of event files contain their time in seconds: the last name is the newest file.
std::filesystem::path newest_event_file(const std::filesystem::path& directory) {
  std::filesystem::path newest;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    const bool ours = name.starts_with(kFilePrefix) && name.ends_with(kFileSuffix);
    if (!ours || !entry.is_regular_file()) continue;
    if (newest.empty() || newest.filename() < entry.path().filename()) newest = entry.path();
  }
  return newest;
}

std::filesystem::path new_event_file(const std::filesystem::path& directory) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(
      std::chrono::system_clock::now().time_since_epoch());
  return directory / (kFilePrefix + std::to_string(seconds.count()) + kFileSuffix);
}

/// Cuts the file after its last whole record and returns what remains of it, in bytes.
std::size_t cut_unfinished_record(const std::filesystem::path& path) {
  base::check_regular_file(path);
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw std::runtime_error(path.string() +
                             ": cannot be read; check its permissions or move it away");
  }
  const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const std::size_t whole = whole_records(bytes);
  if (whole < bytes.size()) std::filesystem::resize_file(path, whole);
  return whole;
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = 0xffffffffu;
  for (const char byte : bytes) {
    crc = kCrcTable[(crc ^ static_cast<unsigned char>(byte)) & 0xff] ^ (crc >> 8);
  }
  return ~crc;
}

std::string tfrecord(std::string_view content) {
  std::string record;
  append_little_endian(record, static_cast<std::uint64_t>(content.size()));
  append_little_endian(record, masked_crc32c(record));
  record += content;
  append_little_endian(record, masked_crc32c(content));
  return record;
}

TensorboardWriter::TensorboardWriter(const std::filesystem::path& directory,
                                     std::int64_t first_step) {
  base::create_folder(directory);
  path_ = newest_event_file(directory);
  const std::size_t kept = path_.empty() ? 0 : cut_unfinished_record(path_);
  if (path_.empty()) path_ = new_event_file(directory);
  file_.open(path_, std::ios::binary | std::ios::app);
  if (!file_) {
    throw std::runtime_error(path_.string() +
                             ": cannot be opened: " + std::generic_category().message(errno) +
                             "; check the permissions of the folder");
  }
  write(kept == 0 ? version_event() : restart_event(first_step));
  flush();
}

void TensorboardWriter::add_scalar(const std::string& tag, double value, std::int64_t step) {
  write(scalar_event(tag, value, step));
}

void TensorboardWriter::write(std::string_view event) {
  const std::string record = tfrecord(event);
  if (!file_.write(record.data(), static_cast<std::streamsize>(record.size()))) throw_unwritten();
}

void TensorboardWriter::flush() {
  if (!file_.flush()) throw_unwritten();
}

void TensorboardWriter::throw_unwritten() const {
  throw std::runtime_error(path_.string() + ": cannot be written: " +
                           std::generic_category().message(errno) + "; check the free space");
}

}  // namespace fastformer::train

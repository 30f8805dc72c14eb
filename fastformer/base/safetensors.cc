#include "fastformer/base/safetensors.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <memory>
#include <new>
#include <nlohmann/json.hpp>
#include <ostream>
#include <span>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/format.h"
#include "fastformer/base/out_of_memory.h"
#include "fastformer/base/printable.h"
#include "fastformer/base/strict_json.h"

namespace fastformer::base {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kLengthBytes = 8;
constexpr std::uint64_t kMaximumHeader = 100'000'000;
constexpr const char* kMetadata = "__metadata__";
constexpr std::array<std::pair<std::string_view, std::uint64_t>, 15> kDtypes{{{"BOOL", 1},
                                                                              {"U8", 1},
                                                                              {"I8", 1},
                                                                              {"F8_E5M2", 1},
                                                                              {"F8_E4M3", 1},
                                                                              {"I16", 2},
                                                                              {"U16", 2},
                                                                              {"F16", 2},
                                                                              {"BF16", 2},
                                                                              {"I32", 4},
                                                                              {"U32", 4},
                                                                              {"F32", 4},
                                                                              {"F64", 8},
                                                                              {"I64", 8},
                                                                              {"U64", 8}}};

[[noreturn]] void fail(const std::string& where, const std::string& what) {
  throw std::invalid_argument(where + ": " + what);
}

// 0 for a type that is not known here.
std::uint64_t element_size(const std::string& dtype) {
  for (const auto& [name, size] : kDtypes) {
    if (name == dtype) return size;
  }
  return 0;
}

// Elements times their size, with every multiplication checked: shapes come from the file.
std::uint64_t byte_size(const std::string& where, const std::string& dtype,
                        const std::vector<std::int64_t>& shape) {
  std::uint64_t size = element_size(dtype);
  for (const std::int64_t extent : shape) {
    if (extent < 0) fail(where, "the shape has the negative dimension " + std::to_string(extent));
    const auto factor = static_cast<std::uint64_t>(extent);
    if (factor != 0 && size > std::numeric_limits<std::uint64_t>::max() / factor) {
      fail(where, "the shape has more elements than a 64-bit number can count");
    }
    size *= factor;
  }
  return size;
}

// A non-negative integer that fits std::int64_t.
std::uint64_t read_count(const std::string& where, const Json& value, const char* what) {
  constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > kLargest) {
    fail(where, std::string(what) + " must consist of whole numbers from 0 to 2^63-1");
  }
  return value.get<std::uint64_t>();
}

struct Entry {
  std::string name;
  TensorView view;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

Entry read_entry(const std::string& file, const std::string& name, const Json& info) {
  const std::string where = file + ": tensor '" + excerpt(name) + "'";
  if (!info.is_object() || info.size() != 3 || !info.contains("dtype") || !info.contains("shape") ||
      !info.contains("data_offsets")) {
    fail(where, "its header entry must be an object with dtype, shape and data_offsets");
  }
  const Json& dtype = info["dtype"];
  const Json& shape = info["shape"];
  const Json& offsets = info["data_offsets"];
  if (!dtype.is_string()) fail(where, "dtype must be a string");
  if (!shape.is_array()) fail(where, "shape must be a list");
  if (!offsets.is_array() || offsets.size() != 2) fail(where, "data_offsets must be [begin, end]");

  Entry entry{.name = name, .view = {.dtype = dtype.get<std::string>(), .shape = {}, .data = {}}};
  for (const Json& extent : shape) {
    entry.view.shape.push_back(static_cast<std::int64_t>(read_count(where, extent, "shape")));
  }
  entry.begin = read_count(where, offsets[0], "data_offsets");
  entry.end = read_count(where, offsets[1], "data_offsets");
  const std::uint64_t expected = byte_size(where, entry.view.dtype, entry.view.shape);
  // Of a type that is not known here, the size may be any.
  const bool known = element_size(entry.view.dtype) > 0;
  if (entry.end < entry.begin || (known && entry.end - entry.begin != expected)) {
    fail(where, "data_offsets [" + std::to_string(entry.begin) + ", " + std::to_string(entry.end) +
                    "] do not span the " + std::to_string(expected) +
                    " bytes that its shape and dtype need");
  }
  return entry;
}

std::map<std::string, std::string> read_metadata(const std::string& file, const Json& json) {
  if (!json.is_object()) fail(file, "__metadata__ must be an object of strings");
  std::map<std::string, std::string> metadata;
  for (const auto& [key, value] : json.items()) {
    if (!value.is_string()) fail(file, "__metadata__ '" + excerpt(key) + "' must be a string");
    metadata[key] = value.get<std::string>();
  }
  return metadata;
}

// The tensors must cover the data exactly: no hole, no overlap, no bytes left over.
void check_coverage(const std::string& file, std::vector<Entry>& entries, std::uint64_t size) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  std::uint64_t covered = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != covered) {
      fail(file, "tensor '" + excerpt(entry.name) + "' starts at byte " +
                     std::to_string(entry.begin) + " of the data, but byte " +
                     std::to_string(covered) +
                     " was expected; tensors must not overlap or leave gaps");
    }
    covered = entry.end;
  }
  if (covered != size) {
    fail(file, "has " + std::to_string(size) + " bytes of data, but its header describes " +
                   std::to_string(covered) + "; the file is damaged or incomplete: copy it again");
  }
}

// Reads a file front to back; its size is that at the opening.
class Source {
 public:
  explicit Source(const std::filesystem::path& path) : name_(path.string()) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error)) {
      fail(name_, "is missing or is not a regular file; check the path");
    }
    descriptor_ = ::open(name_.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status{};
    if (descriptor_ < 0 || ::fstat(descriptor_, &status) != 0) {
      fail(name_, "cannot be opened; check its permissions");
    }
    left_ = static_cast<std::uint64_t>(status.st_size);
  }
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  ~Source() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  std::uint64_t left() const { return left_; }

  template <class Bytes>
  Bytes read(std::uint64_t size) {
    Bytes bytes(size, {});
    auto* to = reinterpret_cast<char*>(bytes.data());
    for (std::uint64_t done = 0; done < size;) {
      const auto count = ::read(descriptor_, to + done, size - done);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) fail(name_, "was shortened while it was read; try again");
      done += static_cast<std::uint64_t>(count);
    }
    position_ += size;
    left_ -= size;
    return bytes;
  }

  // What is left of the file, in memory as long as the pointer exists.
  std::pair<std::shared_ptr<const void>, std::span<const std::byte>> map() const {
    const auto size = position_ + left_;
    void* const begin = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor_, 0);
    if (begin == MAP_FAILED && errno == ENOMEM) throw std::bad_alloc();
    if (begin == MAP_FAILED) {
      throw std::runtime_error(
          name_ + ": cannot be mapped into memory: " + std::generic_category().message(errno));
    }
    return {{begin, [size](void* mapping) { ::munmap(mapping, size); }},
            {static_cast<const std::byte*>(begin) + position_, left_}};
  }

 private:
  std::string name_;
  int descriptor_ = -1;
  std::uint64_t position_ = 0, left_ = 0;
};

std::string read_header(const std::string& file, Source& source) {
  if (source.left() < kLengthBytes) {
    fail(file, "has " + std::to_string(source.left()) +
                   " bytes, too few for a safetensors file; the file is damaged or incomplete");
  }
  std::uint64_t length = 0;
  const auto bytes = source.read<std::string>(kLengthBytes);
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    length |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  }
  if (length > kMaximumHeader || length > source.left()) {
    fail(file, "its header length " + std::to_string(length) +
                   " exceeds the size of the file or the limit of 100 MB; the file is damaged or "
                   "is not a safetensors file");
  }
  return source.read<std::string>(length);
}

Json header_of(const std::map<std::string, std::string>& metadata, std::vector<Entry>& entries) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    const auto size = [](const Entry& entry) { return element_size(entry.view.dtype); };
    return std::pair(size(b), std::string_view(a.name)) <
           std::pair(size(a), std::string_view(b.name));
  });
  Json header = Json::object();
  if (!metadata.empty()) header[kMetadata] = metadata;
  std::uint64_t offset = 0;
  for (Entry& entry : entries) {
    entry.begin = offset;
    entry.end = offset + entry.view.data.size();
    offset = entry.end;
    header[entry.name] = {{"dtype", entry.view.dtype},
                          {"shape", entry.view.shape},
                          {"data_offsets", {entry.begin, entry.end}}};
  }
  return header;
}

}  // namespace

SafetensorsFile SafetensorsFile::open(const std::filesystem::path& path) {
  return read(path, /*mapped=*/false);
}

SafetensorsFile SafetensorsFile::map(const std::filesystem::path& path) {
  return read(path, /*mapped=*/true);
}

SafetensorsFile SafetensorsFile::read(const std::filesystem::path& path, bool mapped) {
  const std::string where = path.string();
  SafetensorsFile file;
  file.path_ = path;
  Source source(path);
  const auto text = read_header(where, source);
  if (!text.starts_with('{'))
    fail(where, "its header is not a JSON object; check that it is a safetensors file");
  const Json header = parse_strict_json<Json>(text, where);

  std::vector<Entry> entries;
  for (const auto& [name, info] : header.items()) {
    if (name == kMetadata) {
      file.metadata_ = read_metadata(where, info);
    } else {
      entries.push_back(read_entry(where, name, info));
    }
  }
  check_coverage(where, entries, source.left());
  const auto size = source.left();
  std::span<const std::byte> data;
  naming_memory([&] { return "the " + std::to_string(size >> 20) + " MB of tensors in " + where; },
                [&] {
                  if (mapped) {
                    std::tie(file.mapping_, data) = source.map();
                  } else {
                    file.bytes_ = source.read<std::vector<std::byte>>(size);
                    data = file.bytes_;
                  }
                });
  for (Entry& entry : entries) {
    entry.view.data = data.subspan(entry.begin, entry.end - entry.begin);
    file.tensors_.emplace(std::move(entry.name), std::move(entry.view));
  }
  return file;
}

const TensorView& SafetensorsFile::tensor(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found != tensors_.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& entry : tensors_) names.push_back(entry.first);
  const std::string near = nearest(name, names);
  fail(path_.string(),
       "has no tensor '" + excerpt(name) + "'" +
           (near.empty() ? std::string() : "; the nearest name is '" + excerpt(near) + "'"));
}

namespace {

// The length of the header and the header, with the entries in the order of their data.
std::string begin_of(const std::string& file, const std::map<std::string, TensorView>& tensors,
                     const std::map<std::string, std::string>& metadata,
                     std::vector<Entry>& entries) {
  for (const auto& [name, view] : tensors) {
    const std::string where = file + ": tensor '" + name + "'";
    if (name == kMetadata) fail(where, "this name is reserved by the format; rename the tensor");
    if (element_size(view.dtype) == 0) {
      std::vector<std::string> known;
      for (const auto& entry : kDtypes) known.emplace_back(entry.first);
      fail(where, "unknown dtype '" + excerpt(view.dtype) + "'" + suggestion(view.dtype, known));
    }
    const std::uint64_t expected = byte_size(where, view.dtype, view.shape);
    if (view.data.size() != expected) {
      fail(where, "has " + std::to_string(view.data.size()) +
                      " bytes, but its shape and dtype need " + std::to_string(expected));
    }
    entries.push_back({.name = name, .view = view});
  }
  std::string header;
  try {
    header = header_of(metadata, entries).dump();
  } catch (const Json::exception&) {
    fail(file, "a tensor name or the metadata is not UTF-8; convert it to UTF-8");
  }
  header.resize((header.size() + 7) / 8 * 8, ' ');
  if (header.size() > kMaximumHeader) fail(file, "the header would exceed 100 MB");
  std::string begin;
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    begin += static_cast<char>(header.size() >> (8 * i) & 0xff);
  }
  return begin + header;
}

}  // namespace

std::uint64_t safetensors_size(const std::map<std::string, TensorView>& tensors,
                               const std::map<std::string, std::string>& metadata) {
  std::vector<Entry> entries;
  std::uint64_t size = begin_of("safetensors", tensors, metadata, entries).size();
  for (const Entry& entry : entries) size += entry.view.data.size();
  return size;
}

void write_safetensors(const std::filesystem::path& path,
                       const std::map<std::string, TensorView>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::vector<Entry> entries;
  const auto begin = begin_of(path.string(), tensors, metadata, entries);
  write_file_atomically(path, [&](std::ostream& out) {
    out << begin;
    for (const Entry& entry : entries) {
      out.write(reinterpret_cast<const char*>(entry.view.data.data()),
                static_cast<std::streamsize>(entry.view.data.size()));
    }
  });
}

}  // namespace fastformer::base

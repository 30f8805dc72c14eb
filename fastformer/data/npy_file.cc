#include "fastformer/data/npy_file.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <ostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "fastformer/base/ascii.h"
#include "fastformer/base/format.h"
#include "fastformer/base/printable.h"

namespace fastformer::data {
namespace {

namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little, "numbers are stored as they are");

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kPrefixBytes = 10;  // magic, version, length of the header
constexpr std::size_t kHeaderBytes = 128;
constexpr std::size_t kMostHeaderBytes = 1 << 16;

// What a header says.
struct Layout {
  std::string type;  // as "<f4"
  bool fortran_order = false;
  std::vector<std::size_t> shape;
  std::size_t begin = 0;  // of the numbers in the file
};

[[noreturn]] void refuse(const fs::path& file, const std::string& what) {
  throw std::invalid_argument(file.string() + ": " + what);
}

[[noreturn]] void refuse_array(const fs::path& file, const std::string& what) {
  refuse(file, what +
                   ", expected float32 or float64 numbers [rows, width] in C order; convert it "
                   "with: python3 -c \"import numpy as np; a = np.load('" +
                   file.string() +
                   "'); np.save('converted.npy', np.ascontiguousarray(a.reshape(len(a), -1), "
                   "'<f4'))\"");
}

// The text of `key` in the header, a Python dictionary as NumPy writes it: up to the comma that
// ends the value, brackets counted.
std::string_view value_of(std::string_view header, const std::string& key, const fs::path& file) {
  const auto found = header.find("'" + key + "':");
  if (found == std::string_view::npos) refuse(file, "its header has no '" + key + "'");
  const auto begin = found + key.size() + 3;
  int depth = 0;
  for (auto at = begin; at < header.size(); ++at) {
    if (header[at] == '(' || header[at] == '[') ++depth;
    if (header[at] == ')' || header[at] == ']') --depth;
    if (depth < 0 || (depth == 0 && (header[at] == ',' || header[at] == '}'))) {
      return base::trimmed(header.substr(begin, at - begin));
    }
  }
  refuse(file, "its header ends inside of '" + key + "'");
}

std::vector<std::size_t> shape_of(std::string_view text, const fs::path& file) {
  std::vector<std::size_t> shape;
  const auto fail = [&] {
    refuse(file, "its header has the shape " + base::excerpt(text) + ", which cannot be read");
  };
  if (!text.starts_with('(') || !text.ends_with(')')) fail();
  text = text.substr(1, text.size() - 2);
  while (!(text = base::trimmed(text)).empty()) {
    const auto comma = std::min(text.find(','), text.size());
    const auto number = base::trimmed(text.substr(0, comma));
    std::size_t size = 0;
    const auto result = std::from_chars(number.data(), number.data() + number.size(), size);
    if (number.empty() || result.ec != std::errc() || result.ptr != number.data() + number.size()) {
      fail();
    }
    shape.push_back(size);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return shape;
}

Layout read_layout(std::ifstream& in, const fs::path& file) {
  std::array<unsigned char, kPrefixBytes + 2> prefix{};
  in.read(reinterpret_cast<char*>(prefix.data()), kPrefixBytes);
  if (!in || std::memcmp(prefix.data(), kMagic.data(), kMagic.size()) != 0) {
    refuse(file, "is not a .npy file, expected an array that NumPy or fastformer embed wrote");
  }
  const int version = prefix[6];
  if (version < 1 || version > 3) {
    refuse(file, base::format("has the .npy format version %d, expected 1, 2 or 3", version));
  }
  std::size_t size = prefix[8] | static_cast<std::size_t>(prefix[9]) << 8;
  Layout layout{.type = {}, .shape = {}, .begin = kPrefixBytes};
  if (version > 1) {
    in.read(reinterpret_cast<char*>(prefix.data() + kPrefixBytes), 2);
    size |= static_cast<std::size_t>(prefix[10]) << 16 | static_cast<std::size_t>(prefix[11]) << 24;
    layout.begin += 2;
  }
  if (size > kMostHeaderBytes) refuse(file, "its header is damaged");
  std::string header(size, '\0');
  in.read(header.data(), static_cast<std::streamsize>(size));
  if (!in) refuse(file, "ends inside of its header; write it again");
  layout.begin += size;
  layout.type = value_of(header, "descr", file);
  const auto order = value_of(header, "fortran_order", file);
  if (order != "True" && order != "False") refuse(file, "its header is damaged");
  layout.fortran_order = order == "True";
  layout.shape = shape_of(value_of(header, "shape", file), file);
  return layout;
}

// The bytes of a number: 4 or 8.
std::size_t check(const Layout& layout, const fs::path& file) {
  const bool is_float = layout.type == "'<f4'" || layout.type == "'<f8'";
  if (!is_float) refuse_array(file, "holds numbers of the type " + base::excerpt(layout.type));
  if (layout.shape.size() != 2) {
    refuse_array(file, base::format("has %zu dimensions", layout.shape.size()));
  }
  if (layout.fortran_order) refuse_array(file, "is in Fortran order");
  if (layout.shape[0] == 0 || layout.shape[1] == 0) {
    refuse(file, base::format("holds no vectors: its shape is (%zu, %zu)", layout.shape[0],
                              layout.shape[1]));
  }
  return layout.type == "'<f4'" ? 4 : 8;
}

}  // namespace

NpyWriter::NpyWriter(std::ostream& out, std::size_t width) : out_(out), width_(width) {
  write_header();
}

void NpyWriter::write_header() {
  std::string header =
      base::format("{'descr': '<f4', 'fortran_order': False, 'shape': (%zu, %zu), }",
                   width_ == 0 ? 0 : values_ / width_, width_);
  header.resize(kHeaderBytes - kPrefixBytes - 1, ' ');
  const auto length = static_cast<char>(kHeaderBytes - kPrefixBytes);
  out_ << kMagic << '\x01' << '\0' << length << '\0' << header << '\n';
}

void NpyWriter::write(std::span<const float> rows) {
  values_ += rows.size();
  out_.write(reinterpret_cast<const char*>(rows.data()),
             static_cast<std::streamsize>(rows.size_bytes()));
}

void NpyWriter::finish() {
  out_.seekp(0);
  write_header();
}

Vectors read_npy(const fs::path& file) {
  std::error_code error;
  std::ifstream in(file, std::ios::binary);
  if (!in) refuse(file, "cannot be opened; check the path and its permissions");
  if (!fs::is_regular_file(file, error)) refuse(file, "is no regular file; give the file itself");
  const auto layout = read_layout(in, file);
  const auto bytes = check(layout, file);
  const auto rows = layout.shape[0], width = layout.shape[1];
  const auto stored = fs::file_size(file) - layout.begin;
  const bool fits = rows <= stored / width / bytes;
  if (!fits || rows * width * bytes != stored) {
    refuse(file,
           base::format("its header promises %zu vectors of %zu numbers, but %ju bytes follow, "
                        "which is %s; write it again",
                        rows, width, static_cast<std::uintmax_t>(stored), fits ? "more" : "less"));
  }
  Vectors vectors{.width = width, .values = std::vector<float>(rows * width)};
  if (bytes == 4) {
    in.read(reinterpret_cast<char*>(vectors.values.data()), static_cast<std::streamsize>(stored));
  } else {
    std::vector<double> row(width);
    for (std::size_t first = 0; first < vectors.values.size() && in; first += width) {
      in.read(reinterpret_cast<char*>(row.data()), static_cast<std::streamsize>(8 * width));
      for (std::size_t i = 0; i < width; ++i) {
        vectors.values[first + i] = static_cast<float>(row[i]);
      }
    }
  }
  if (!in) refuse(file, "cannot be read to its end; check the disk");
  return vectors;
}

bool is_npy(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::array<char, kMagic.size()> head{};
  in.read(head.data(), head.size());
  return in && std::string_view(head.data(), head.size()) == kMagic;
}

}  // namespace fastformer::data

#include "fastformer/data/npy_file.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "fastformer/base/atomic_file.h"
#include "support/temporary_folder.h"

namespace fastformer::data {
namespace {

using testing::error_of;
using testing::TemporaryFolder;

template <class Number>
std::string bytes_of(const std::vector<Number>& numbers) {
  std::string bytes(numbers.size() * sizeof(Number), '\0');
  std::memcpy(bytes.data(), numbers.data(), bytes.size());
  return bytes;
}

// A file as numpy.save writes it.
std::string npy(const std::string& dictionary, const std::string& numbers, char version = 1) {
  const std::size_t prefix = version == 1 ? 10 : 12;
  std::string header = dictionary;
  while ((prefix + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  const auto size = header.size();
  std::string length = {static_cast<char>(size & 255), static_cast<char>(size >> 8)};
  if (version > 1) length += std::string(2, '\0');
  return "\x93NUMPY" + std::string{version, '\0'} + length + header + numbers;
}

std::string dictionary(const std::string& type, const std::string& shape,
                       const std::string& fortran = "False") {
  return "{'descr': '" + type + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }";
}

const std::vector<float> kNumbers = {1, -2.5, 0, 3e-20F, 5, 6};

void write(const std::filesystem::path& file, const std::vector<float>& numbers,
           std::size_t width) {
  base::write_file_atomically(file, [&](std::ostream& out) {
    NpyWriter writer(out, width);
    for (std::size_t i = 0; i < numbers.size(); i += width) {
      writer.write(std::span(numbers).subspan(i, width));
    }
    writer.finish();
  });
}

TEST(NpyFile, WritesWhatItReads) {
  const TemporaryFolder folder;
  const auto file = folder / "a.npy";
  write(file, kNumbers, 3);
  const auto vectors = read_npy(file);
  EXPECT_EQ(vectors.width, 3U);
  EXPECT_EQ(vectors.values, kNumbers);
  EXPECT_TRUE(is_npy(file));
}

TEST(NpyFile, HasTheHeaderOfVersion1WithTheNumberOfRows) {
  const TemporaryFolder folder;
  write(folder / "a.npy", kNumbers, 3);
  std::ifstream in(folder / "a.npy", std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(in), {}};
  EXPECT_EQ(content.substr(0, 10), std::string("\x93NUMPY\x01\0\x76\0", 10));
  EXPECT_TRUE(content.substr(10).starts_with(dictionary("<f4", "(2, 3)"))) << content.substr(10);
  ASSERT_EQ(content.size(), 128U + 24U);
  EXPECT_EQ(content[127], '\n');
  EXPECT_EQ(content.substr(128), bytes_of(kNumbers));
}

TEST(NpyFile, ReadsDoublesAndLaterVersions) {
  const TemporaryFolder folder;
  const auto doubles = bytes_of(std::vector<double>(kNumbers.begin(), kNumbers.end()));
  for (const char version : {'\x01', '\x02', '\x03'}) {
    const auto vectors =
        read_npy(folder.write("a.npy", npy(dictionary("<f8", "(3, 2)"), doubles, version)));
    EXPECT_EQ(vectors.width, 2U);
    EXPECT_EQ(vectors.values, kNumbers);
  }
}

TEST(NpyFile, WhatCannotBeReadIsRefusedInOneSentence) {
  const TemporaryFolder folder;
  const auto floats = bytes_of(kNumbers);
  const auto refused = [&](const std::string& content) {
    return error_of([&] { read_npy(folder.write("a.npy", content)); });
  };
  EXPECT_MENTIONS(refused("no array"), "a.npy: is not a .npy file");
  EXPECT_MENTIONS(refused(""), "is not a .npy file");
  EXPECT_MENTIONS(refused(npy(dictionary(">f4", "(2, 3)"), floats)), "'>f4'", "np.load");
  EXPECT_MENTIONS(refused(npy(dictionary("<i8", "(1, 3)"), floats)), "'<i8'", "np.save");
  EXPECT_MENTIONS(refused(npy(dictionary("<f4", "(2, 3)", "True"), floats)), "Fortran", "np.load");
  EXPECT_MENTIONS(refused(npy(dictionary("<f4", "(6,)"), floats)), "1 dimensions", "reshape");
  EXPECT_MENTIONS(refused(npy(dictionary("<f4", "(1, 2, 3)"), floats)), "3 dimensions");
  EXPECT_MENTIONS(refused(npy(dictionary("<f4", "(0, 3)"), "")), "holds no vectors");
  EXPECT_MENTIONS(refused(npy(dictionary("<f4", "(3, 3)"), floats)), "24 bytes follow", "less");
  EXPECT_MENTIONS(refused(npy(dictionary("<f4", "(1, 3)"), floats)), "more");
  EXPECT_MENTIONS(
      refused(npy(dictionary("<f4", "(4611686018427387905, 4611686018427387905)"), floats)),
      "less");
  EXPECT_MENTIONS(refused(npy(dictionary("<f4", "(2, x)"), floats)), "cannot be read");
  EXPECT_MENTIONS(refused(npy("{'descr': '<f4', }", floats)), "has no 'fortran_order'");
  EXPECT_MENTIONS(refused(npy(dictionary("<f4", "(2, 3)"), floats).substr(0, 40)),
                  "ends inside of its header");
  EXPECT_MENTIONS(error_of([&] { read_npy(folder / "gone.npy"); }), "gone.npy", "cannot be opened");
  EXPECT_FALSE(is_npy(folder.write("a.jsonl", "{}\n")));
}

// Each prefix of a good file, and each with a changed byte of the header, is read or refused.
TEST(NpyFile, DamagedHeadersDoNotCrash) {
  const TemporaryFolder folder;
  const auto good = npy(dictionary("<f4", "(2, 3)"), bytes_of(kNumbers));
  for (std::size_t i = 0; i < good.size(); ++i) {
    EXPECT_NE(error_of([&] { read_npy(folder.write("a.npy", good.substr(0, i))); }), "") << i;
  }
  for (std::size_t i = 0; i < 128; ++i) {
    for (const char byte : {'\0', '\xFF', '(', ')', '\'', '9', ','}) {
      auto changed = good;
      changed[i] = byte;
      const auto file = folder.write("a.npy", changed);
      error_of([&] { read_npy(file); });
    }
  }
}

}  // namespace
}  // namespace fastformer::data

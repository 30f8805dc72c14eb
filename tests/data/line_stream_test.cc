#include "fastformer/data/line_stream.h"

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/temporary_folder.h"

namespace fastformer::data {
namespace {

using Words = std::vector<std::string>;
using namespace std::string_literals;

class LineStreamTest : public ::testing::Test {
 protected:
  Words lines(const std::string& content, const TextEncoding& encoding = {},
              const std::string& name = "a.txt") {
    return lines_of(folder_.write(name, content), encoding);
  }
  static Words lines_of(const std::filesystem::path& file, const TextEncoding& encoding = {}) {
    LineStream stream(file, encoding);
    Words all;
    for (std::string line; stream.next(line);) all.push_back(line);
    return all;
  }
  std::string error(const std::string& content, const TextEncoding& encoding = {},
                    const std::string& name = "a.txt") {
    return testing::error_of([&] { lines(content, encoding, name); });
  }
  // An archive by libarchive's names of formats and filters.
  std::filesystem::path pack(const std::string& name, int (*format)(archive*),
                             int (*filter)(archive*), const Words& members) {
    const auto path = folder_ / name;
    archive* const out = archive_write_new();
    filter(out);
    format(out);
    archive_write_open_filename(out, path.c_str());
    for (const auto& member : members) {
      const std::string content = "pos,chair\nneg,fan\n";
      archive_entry* const entry = archive_entry_new();
      archive_entry_set_pathname(entry, member.c_str());
      archive_entry_set_filetype(entry, AE_IFREG);
      archive_entry_set_perm(entry, 0644);
      archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
      archive_write_header(out, entry);
      archive_write_data(out, content.data(), content.size());
      archive_entry_free(entry);
    }
    archive_write_close(out);
    archive_write_free(out);
    return path;
  }
  testing::TemporaryFolder folder_;
};

TEST_F(LineStreamTest, TakesAnyLineEnd) {
  const Words expected = {"a", "", "b"};
  EXPECT_EQ(lines("a\n\nb\n"), expected);
  EXPECT_EQ(lines("a\r\n\r\nb\r\n"), expected);
  EXPECT_EQ(lines("a\r\rb\r"), expected);
  EXPECT_EQ(lines("a\n\nb"), expected);
  EXPECT_EQ(lines("a\rb\nc"), (Words{"a\rb", "c"}));
}

TEST_F(LineStreamTest, AByteOrderMarkTellsTheEncoding) {
  const Words expected = {"h\u00e9", "\U0001F600"};
  EXPECT_EQ(lines("\xEF\xBB\xBFh\u00e9\n\U0001F600\n"), expected);
  EXPECT_EQ(lines("\xFF\xFEh\0\xE9\0\n\0\x3D\xD8\x00\xDE\n\0"s), expected);
  EXPECT_EQ(lines("\xFE\xFF\0h\0\xE9\0\n\xD8\x3D\xDE\x00\0\n"s), expected);
  EXPECT_EQ(lines("\xFF\xFE\0\0h\0\0\0\xE9\0\0\0\n\0\0\0\x00\xF6\x01\0"s), expected);
  EXPECT_EQ(lines("\0\0\xFE\xFF\0\0\0h\0\0\0\xE9\0\0\0\n\0\x01\xF6\x00"s), expected);
}

TEST_F(LineStreamTest, OtherEncodingsAreNamed) {
  EXPECT_EQ(lines("caf\xE9 \x80\n", {.encoding = "windows-1252"}), (Words{"caf\u00e9 \u20ac"}));
  EXPECT_EQ(lines("\xC4\xE3\xBA\xC3\n", {.encoding = "GBK"}), (Words{"\u4f60\u597d"}));
  EXPECT_EQ(lines("h\0\n\0"s, {.encoding = "UTF-16LE"}), (Words{"h"}));
  // A character that two blocks share.
  std::string russian;
  for (int i = 0; i < 300'000; ++i) russian += "\xD4";
  EXPECT_EQ(lines(russian, {.encoding = "KOI8-R"}).front().size(), 600'000U);
  EXPECT_MENTIONS(error("a", {.encoding = "latin-77"}), "latin-77", "iconv -l");
  EXPECT_MENTIONS(error("\x81\x81", {.encoding = "US-ASCII"}), "a.txt", "byte");
}

TEST_F(LineStreamTest, WhatIsNoTextIsRefusedOrReplaced) {
  EXPECT_MENTIONS(error("a\nb \xE9 c\n"), "a.txt:2", "byte 3", "0xE9", "data.encoding", "iconv");
  EXPECT_MENTIONS(error("a\nb\0c\n"s), "a.txt:2", "byte 2", "NUL", "UTF-16");
  LineStream stream(folder_.write("b.txt", "a\xE9z\n\0\xF0\x9F\n"s),
                    {.invalid_utf8 = InvalidText::kReplace});
  std::string line;
  ASSERT_TRUE(stream.next(line));
  EXPECT_EQ(line, "a\uFFFDz");
  ASSERT_TRUE(stream.next(line));
  EXPECT_EQ(line, "\uFFFD\uFFFD");
  EXPECT_EQ(stream.replaced(), 3);
  EXPECT_MENTIONS(stream.notice(), "b.txt", "3 byte sequences");
  const TextEncoding replaced = {.encoding = "US-ASCII", .invalid_utf8 = InvalidText::kReplace};
  EXPECT_EQ(lines("a\xE9\n", replaced), (Words{"a\uFFFD"}));
}

TEST_F(LineStreamTest, CompressedFilesAndArchivesOfOneFileAreRead) {
  const Words expected = {"pos,chair", "neg,fan"};
  for (const auto filter :
       {archive_write_add_filter_gzip, archive_write_add_filter_bzip2, archive_write_add_filter_xz,
        archive_write_add_filter_zstd, archive_write_add_filter_none}) {
    EXPECT_EQ(lines_of(pack("raw", archive_write_set_format_raw, filter, {"a.csv"})), expected);
    EXPECT_EQ(lines_of(pack("tar", archive_write_set_format_pax, filter, {"a.csv"})), expected);
  }
  const auto none = archive_write_add_filter_none;
  EXPECT_EQ(lines_of(pack("a.zip", archive_write_set_format_zip, none, {"a.csv"})), expected);
  EXPECT_EQ(lines_of(pack("b.zip", archive_write_set_format_zip, none,
                          {"__MACOSX/._a.csv", "dir/a.csv"})),
            expected);
  const auto two = pack("c.zip", archive_write_set_format_zip, none, {"a.csv", "b.csv"});
  EXPECT_MENTIONS(testing::error_of([&] { lines_of(two); }), "c.zip", "2 files", "a.csv b.csv");
  // As a file system may leave it after a crash: libarchive takes it for a tar archive of nothing.
  for (const auto& empty : {folder_.write("nul.csv", std::string(100'000, '\0')),
                            pack("e.zip", archive_write_set_format_zip, none, {})}) {
    EXPECT_MENTIONS(testing::error_of([&] { lines_of(empty); }), empty.string(), "NUL",
                    "archive without a file");
  }
  EXPECT_TRUE(lines_of(folder_.write("empty.csv", "")).empty());
  const auto named = pack("n.zip", archive_write_set_format_zip, none, {"a\x80\n.csv", "b.csv"});
  EXPECT_MENTIONS(testing::error_of([&] { lines_of(named); }), "a\\x80\\x0a.csv b.csv");
  const auto book = pack("d.xlsx", archive_write_set_format_zip, none, {"xl/workbook.xml"});
  EXPECT_MENTIONS(testing::error_of([&] { lines_of(book); }), "Excel", "libreoffice");
}

TEST_F(LineStreamTest, FilesOfOtherKindsAreNamed) {
  EXPECT_MENTIONS(error("PAR1\x15\x04\x00"s), "Parquet", "read_parquet");
  EXPECT_MENTIONS(error("%PDF-1.7\n"), "PDF", "pdftotext");
  EXPECT_MENTIONS(error("\n<!DOCTYPE HTML><p>x"), "HTML", "pandoc");
  EXPECT_MENTIONS(error("\x89PNG\r\n\x1A\n"), "image");
  EXPECT_MENTIONS(error("\x10\0\0\0\0\0\0\0{\"a\":1}"s), "safetensors");
  EXPECT_EQ(lines("ORCHESTRA\n"), (Words{"ORCHESTRA"}));
  EXPECT_MENTIONS(testing::error_of([&] { lines_of(folder_.path()); }), "is a folder");
  EXPECT_MENTIONS(testing::error_of([&] { lines_of("gone.txt"); }), "gone.txt: does not exist");
}

TEST_F(LineStreamTest, ADamagedArchiveIsRefused) {
  const auto whole =
      pack("a.gz", archive_write_set_format_raw, archive_write_add_filter_gzip, {"a"});
  std::filesystem::resize_file(whole, std::filesystem::file_size(whole) - 9);
  EXPECT_MENTIONS(testing::error_of([&] { lines_of(whole); }), "a.gz", "damaged or incomplete");
}

}  // namespace
}  // namespace fastformer::data

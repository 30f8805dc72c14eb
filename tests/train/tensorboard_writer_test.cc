#include "fastformer/train/tensorboard_writer.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace fastformer::train {
namespace {

using namespace std::string_literals;

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// Contents of the records; fails the test where the framing is not what tfrecord() makes.
std::vector<std::string> records_of(const std::string& bytes) {
  std::vector<std::string> records;
  for (std::size_t at = 0; at < bytes.size();) {
    std::uint64_t length = 0;
    for (int byte = 7; byte >= 0; --byte) {
      length = length << 8 | static_cast<unsigned char>(bytes.at(at + static_cast<unsigned>(byte)));
    }
    records.push_back(bytes.substr(at + 12, length));
    EXPECT_EQ(bytes.substr(at, 16 + length), tfrecord(records.back()));
    at += 16 + length;
  }
  return records;
}

/// An event without its first field, the 9 bytes of the wall time.
std::string without_time(const std::string& event) { return event.substr(9); }

class TensorboardWriterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    directory_ = std::filesystem::temp_directory_path() /
                 ("tensorboard_writer_" + std::to_string(::getpid()) + "_" + test->name());
    std::filesystem::remove_all(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::filesystem::path directory_;
};

// The vectors of RFC 3720, B.4, and the customary check value.
TEST(Crc32c, AgreesWithKnownVectors) {
  EXPECT_EQ(crc32c(""), 0u);
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
}

// The expected bytes were written by TensorBoard's own RecordWriter.
TEST(Tfrecord, FramesAsTensorflowDoes) {
  EXPECT_EQ(tfrecord("abc"),
            "\x03\x00\x00\x00\x00\x00\x00\x00\xb0\x99\x49\x0e\x61\x62\x63\x6e\x57\xf1\x21"s);
}

TEST_F(TensorboardWriterTest, WritesVersionAndScalars) {
  TensorboardWriter writer(directory_ / "run");
  writer.add_scalar("loss", 0.5, 300);
  writer.flush();
  EXPECT_TRUE(writer.path().filename().string().starts_with("events.out.tfevents."));
  const auto records = records_of(read(writer.path()));
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(without_time(records[0]), "\x10\x00\x1a\x0d"s + "brain.Event:2");
  // step = 300; summary { value { tag: "loss" simple_value: 0.5 } }
  EXPECT_EQ(without_time(records[1]),
            "\x10\xac\x02\x2a\x0d\x0a\x0b\x0a\x04loss\x15\x00\x00\x00\x3f"s);
}

TEST_F(TensorboardWriterTest, ContinuesTheFileOnResume) {
  std::filesystem::path first_path;
  {
    TensorboardWriter writer(directory_);
    writer.add_scalar("loss", 1, 1);
    first_path = writer.path();
  }
  const std::string before = read(first_path);
  TensorboardWriter writer(directory_, 2);
  writer.add_scalar("loss", 2, 2);
  writer.flush();
  EXPECT_EQ(writer.path(), first_path);
  const std::string after = read(first_path);
  EXPECT_TRUE(after.starts_with(before));
  const auto records = records_of(after);
  ASSERT_EQ(records.size(), 4u);
  EXPECT_EQ(without_time(records[2]), "\x10\x02\x3a\x02\x08\x01"s);  // session_log { START }
}

TEST_F(TensorboardWriterTest, CutsOffAnUnfinishedOrDamagedRecord) {
  std::filesystem::path path;
  {
    TensorboardWriter writer(directory_);
    writer.add_scalar("loss", 1, 1);
    path = writer.path();
  }
  const std::string whole = read(path);
  std::string damaged = tfrecord("abc");
  damaged[13] ^= 1;
  for (const std::string& end : {"\x05"s, tfrecord("abc").substr(0, 14), damaged,
                                 std::string(12, '\xff'), std::string(40, '\xff')}) {
    std::ofstream(path, std::ios::binary) << whole << end;
    TensorboardWriter writer(directory_, 2);
    EXPECT_TRUE(read(path).starts_with(whole));
    EXPECT_EQ(records_of(read(path)).size(), 3u);
  }
}

TEST_F(TensorboardWriterTest, StartsAgainInAFileWithoutAWholeRecord) {
  std::filesystem::create_directories(directory_);
  const auto path = directory_ / "events.out.tfevents.1700000000.fastformer";
  std::ofstream(path, std::ios::binary) << "\x05";
  TensorboardWriter writer(directory_);
  EXPECT_EQ(writer.path(), path);
  const auto records = records_of(read(path));
  ASSERT_EQ(records.size(), 1u);
  EXPECT_NE(records[0].find("brain.Event:2"), std::string::npos);
}

TEST_F(TensorboardWriterTest, RefusesADirectoryThatIsAFile) {
  std::ofstream(directory_) << "x";
  EXPECT_THROW(TensorboardWriter{directory_}, std::runtime_error);
}

}  // namespace
}  // namespace fastformer::train

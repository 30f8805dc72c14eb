#include "fastformer/base/safetensors.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <random>

#include "fastformer/base/atomic_file.h"
#include "support/temporary_folder.h"

namespace fastformer::base {
namespace {

const std::array<float, 4> kValues = {1, 2, 3, 4};

std::string with_header(const std::string& header, const std::string& data) {
  std::uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + data;
}

TEST(Safetensors, GivesBackWhatWasWritten) {
  const testing::TemporaryFolder folder;
  const auto path = folder / "m.safetensors";
  const auto bytes = std::as_bytes(std::span(kValues));
  write_safetensors(path, {{"w", {"F32", {2, 2}, bytes}}, {"s", {"F32", {}, bytes.first(4)}}},
                    {{"format", "pt"}});
  const auto file = SafetensorsFile::open(path);
  EXPECT_EQ(file.tensor("w").shape, (std::vector<std::int64_t>{2, 2}));
  EXPECT_EQ(std::memcmp(file.tensor("w").data.data(), kValues.data(), 16), 0);
  EXPECT_EQ(file.metadata().at("format"), "pt");
  EXPECT_MENTIONS(testing::error_of([&] { file.tensor("v"); }), "v", "m.safetensors");
}

TEST(Safetensors, RefusesHostileHeaders) {
  const testing::TemporaryFolder folder;
  const auto error = [&](const std::string& bytes) {
    const auto path = folder.write("m.safetensors", bytes);
    return testing::error_of([&] { SafetensorsFile::open(path); });
  };
  const std::string data(8, 'x');
  for (
      const std::string header :
      {"", "{", "[]", "{\"a\":1}", R"({"a":{"dtype":"F32","shape":[2]}})",
       R"({"a":{"dtype":"F99","shape":[2],"data_offsets":[0,9]}})",
       R"({"a":{"dtype":"F99","shape":[-2],"data_offsets":[0,8]}})",
       R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})",
       R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})",
       R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,80]}})",
       R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})",
       R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}})",
       R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
       R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
       R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})"}) {
    EXPECT_NE(error(with_header(header, data)), "") << header;
  }
  EXPECT_NE(error("short"), "");
  EXPECT_NE(error(std::string(8, '\xff') + "{}"), "");
}

TEST(Safetensors, ATypeThatIsNotKnownMayHaveAnySize) {
  const testing::TemporaryFolder folder;
  const auto path = folder.write(
      "m.safetensors", with_header(R"({"a":{"dtype":"F8_E8M0","shape":[3],"data_offsets":[0,3]},)"
                                   R"("b":{"dtype":"F32","shape":[1],"data_offsets":[3,7]}})",
                                   "abc" + std::string(4, '\0')));
  const auto file = SafetensorsFile::open(path);
  EXPECT_EQ(file.tensor("a").dtype, "F8_E8M0");
  EXPECT_EQ(file.tensor("a").data.size(), 3U);
  EXPECT_MENTIONS(
      testing::error_of([&] { write_safetensors(folder / "n.safetensors", file.tensors()); }),
      "F8_E8M0", "did you mean");
}

// Whatever happens to the bytes: an exception or a file that reads, never a crash.
TEST(Safetensors, SurvivesDamagedHeaders) {
  const testing::TemporaryFolder folder;
  const auto path = folder / "m.safetensors";
  write_safetensors(path, {{"w", {"F32", {4}, std::as_bytes(std::span(kValues))}}});
  const auto whole = read_file(path);
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    auto bytes = whole;
    for (int change = 0; change < 1 + i % 3; ++change) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    if (i % 5 == 0) bytes.resize(random() % bytes.size());
    folder.write("m.safetensors", bytes);
    try {
      const auto file = SafetensorsFile::open(path);
      for (const auto& [name, view] : file.tensors()) EXPECT_LE(view.data.size(), bytes.size());
    } catch (const std::invalid_argument&) {
      continue;
    }
  }
}

TEST(AtomicFile, LeavesTheOldFileWhenWritingFails) {
  const testing::TemporaryFolder folder;
  const auto path = folder.write("a", "old");
  EXPECT_THROW(
      write_file_atomically(path, [](std::ostream&) { throw std::runtime_error("stopped"); }),
      std::runtime_error);
  EXPECT_EQ(read_file(path), "old");
  write_file_atomically(path, std::string_view("new"));
  EXPECT_EQ(read_file(path), "new");
  EXPECT_MENTIONS(testing::error_of<std::runtime_error>([&] {
                    write_file_atomically(folder / "no/folder/a", std::string_view("x"));
                  }),
                  "no/folder");
  EXPECT_MENTIONS(testing::error_of([&] { read_file(folder / "gone"); }), "gone");
  EXPECT_MENTIONS(testing::error_of([&] { read_file(folder.path()); }), folder.path().string());
}

}  // namespace
}  // namespace fastformer::base

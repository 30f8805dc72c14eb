#include "target.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>

#include "fastformer/data/utf8.h"
#include "fastformer/text/growing_text.h"
#include "support/temporary_folder.h"

// Of libFuzzer.
extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

namespace fastformer::fuzz {
namespace {

void check_message(std::string_view message) {
  constexpr std::size_t kLongest = 4000;
  check(!message.empty() && message.size() <= kLongest, "a message is short");
  check(message.find('\n') == std::string_view::npos, "a message is one line");
  check_utf8(message, "a message is UTF-8");
}

}  // namespace

void check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: does not hold: %s\n", what);
  std::abort();
}

void check_utf8(std::string_view text, const char* what) {
  check(data::find_invalid_utf8(text) == std::string_view::npos, what);
}

bool refuses(const std::function<void()>& action) {
  try {
    action();
    return false;
  } catch (const std::invalid_argument& error) {
    check_message(error.what());
  } catch (const std::runtime_error& error) {
    check_message(error.what());
  }
  return true;
}

const std::filesystem::path& folder() {
  static const testing::TemporaryFolder folder;
  return folder.path();
}

std::filesystem::path write(const std::string& name, std::string_view bytes) {
  const auto path = folder() / name;
  std::filesystem::create_directories(path.parent_path());
  std::FILE* const file = std::fopen(path.c_str(), "wb");
  check(file != nullptr, "the target can write its file");
  std::fwrite(bytes.data(), 1, bytes.size(), file);
  std::fclose(file);
  return path;
}

std::string_view take_choices(std::string_view& bytes, std::size_t most) {
  const auto size = std::min(bytes.size(), most);
  const auto choices = bytes.substr(bytes.size() - size);
  bytes.remove_suffix(size);
  return choices;
}

std::string_view take_part(std::string_view& bytes) {
  const auto end = std::min(bytes.find('\0'), bytes.size());
  const auto part = bytes.substr(0, end);
  bytes.remove_prefix(std::min(end + 1, bytes.size()));
  return part;
}

void check_tokenizer(const text::Tokenizer& tokenizer, std::string_view text) {
  std::vector<std::int32_t> ids;
  tokenizer.encode(text, ids);
  for (const auto id : ids) {
    check(id >= 0 && id < tokenizer.vocabulary_size(), "an id is in the vocabulary");
  }
  check(tokenizer.tokens(text).size() == ids.size(), "tokens() are as many as encode() gives");
  constexpr std::size_t kLimit = 5;
  std::vector<std::int32_t> first;
  tokenizer.encode(text, first, kLimit);
  check(first.size() == std::min(kLimit, ids.size()), "a limit is kept");
  constexpr std::size_t kMost = 200;  // what a growing text costs grows with its square
  const auto some = std::span(ids).first(std::min(kMost, ids.size()));
  text::GrowingText growing(tokenizer);
  std::string joined;
  for (const auto id : some) joined += growing.add(id);
  joined += growing.finish();
  check(joined == tokenizer.decode(some), "joined pieces are decode()");
}

}  // namespace fastformer::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  fastformer::fuzz::refuses([&] { fastformer::fuzz::run(bytes); });
  return 0;
}

// Besides what libFuzzer does, now and then repeats a part of the input until the input is long:
// time that grows faster than the input shows only in long ones, which random changes do not make.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned seed) {
  constexpr unsigned kSeldom = 512;
  constexpr std::size_t kLongestPart = 64;
  if (size == 0 || seed % kSeldom != 0) return LLVMFuzzerMutate(data, size, most);
  seed /= kSeldom;
  const auto begin = seed % size;
  const auto part = std::min(1 + seed / 7 % kLongestPart, size - begin);
  const auto times = std::min((most - size) / part, std::size_t{1} << seed / 11 % 20);
  const std::string repeated(reinterpret_cast<const char*>(data) + begin, part);
  std::memmove(data + begin + times * part, data + begin, size - begin);
  for (std::size_t i = 0; i < times; ++i) {
    std::memcpy(data + begin + i * part, repeated.data(), part);
  }
  return size + times * part;
}

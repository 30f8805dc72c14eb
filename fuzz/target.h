#pragma once

#include <fuzzer/FuzzedDataProvider.h>

#include <cstddef>
#include <exception>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "fastformer/text/tokenizer.h"

/// What the fuzz targets share. A target is a file of targets/ that defines run(), to be called
/// with one input after another:
///
///   void run(std::string_view bytes) {
///     const auto vocabulary = text::Vocabulary::load(write("vocab.txt", bytes));
///     check(vocabulary.unknown_id() < vocabulary.size(), "the id of [UNK] is in range");
///   }
///
/// run() may throw std::invalid_argument or std::runtime_error with one printable line. Any other
/// exception, a failed check() and what a sanitizer reports are findings.
namespace fastformer::fuzz {

using Provider = FuzzedDataProvider;

void run(std::string_view bytes);

/// Ends the process with a finding where `holds` is false.
void check(bool holds, const char* what);

/// Runs the action; true where it threw as run() may.
bool refuses(const std::function<void()>& action);

/// Writes a file of that name in the process's own folder, and gives its path.
std::filesystem::path write(const std::string& name, std::string_view bytes);
/// That folder, which is empty at the beginning.
const std::filesystem::path& folder();

/// The bytes as a provider of numbers, choices and texts takes them.
inline Provider provider(std::string_view bytes) {
  return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}

/// Takes a short text off the end of `bytes`, of up to `most` bytes: choices that leave the input
/// itself readable.
std::string_view take_choices(std::string_view& bytes, std::size_t most);

/// Takes the bytes before the next NUL, and the NUL, off the head of `bytes`.
std::string_view take_part(std::string_view& bytes);

/// Whether a text is well-formed UTF-8.
void check_utf8(std::string_view text, const char* what);

/// What every tokenizer promises: ids in range, as many tokens() as encode() gives, a limit that
/// gives the first of them, decode() in UTF-8 where the text is, and pieces of a growing text that
/// are decode() once joined.
void check_tokenizer(const text::Tokenizer& tokenizer, std::string_view text);

}  // namespace fastformer::fuzz

#include "fastformer/data/word_vectors.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>

#include "fastformer/data/byte_source.h"
#include "fastformer/data/line_stream.h"
#include "fastformer/data/utf8.h"
#include "fastformer/text/vocabulary.h"

namespace fastformer::data {
namespace {

std::string_view trim_right(std::string_view text) {
  const auto last = text.find_last_not_of(" \t");
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

// Takes the field behind the last blank off `line`; empty when there is no blank.
std::string_view take_last_field(std::string_view& line) {
  const auto blank = line.find_last_of(" \t");
  if (blank == std::string_view::npos) return {};
  const auto field = line.substr(blank + 1);
  line = trim_right(line.substr(0, blank));
  return field;
}

bool parse(std::string_view field, float& value) {
  const char *first = field.data(), *end = first + field.size();
  const auto result = std::from_chars(first, end, value);
  return result.ec == std::errc() && result.ptr == end && std::isfinite(value);
}

// The width that a first line "words width" states; nothing for another line.
std::optional<std::int64_t> stated_width(std::string_view line) {
  const auto is_count = [](std::string_view field) {
    return !field.empty() && field.find_first_not_of("0123456789") == std::string_view::npos;
  };
  line = trim_right(line);
  const auto field = take_last_field(line);
  std::int64_t width = 0;
  if (!is_count(field) || !is_count(line)) return std::nullopt;
  const auto result = std::from_chars(field.data(), field.data() + field.size(), width);
  return result.ec == std::errc() ? std::optional(width) : std::nullopt;
}

// How many numbers stand at the end of a line, behind its word.
std::int64_t count_numbers(std::string_view line) {
  std::int64_t count = 0;
  line = trim_right(line);
  for (float value = 0; parse(take_last_field(line), value);) ++count;
  return count;
}

[[noreturn]] void refuse_width(const std::string& file, std::int64_t width) {
  throw std::invalid_argument(file + ": has vectors of " + std::to_string(width) +
                              " numbers; set model.width = " + std::to_string(width) +
                              ", or use other vectors");
}

[[noreturn]] void refuse_binary(const std::string& file, bool fasttext) {
  if (fasttext) {
    throw std::invalid_argument(file +
                                ": is a binary model of fastText; write its vectors as text with: "
                                "python3 -c \"import fasttext; f = fasttext.load_model('" +
                                file + "'); [print(w, *f[w]) for w in f.words]\" > " + file +
                                ".vec");
  }
  throw std::invalid_argument(file +
                              ": is a binary file of word2vec; write it as text with: python3 -c "
                              "\"from gensim.models import "
                              "KeyedVectors as K; K.load_word2vec_format('" +
                              file + "', binary=True).save_word2vec_format('" + file + ".vec')\"");
}

// Binary numbers follow the first blank of word2vec's binary format, and are no text: control
// characters, or what is not UTF-8 in the first row behind a line "words width".
void refuse_if_binary(const std::filesystem::path& path) {
  constexpr std::string_view kFasttextMagic = "\xBA\x16\x4F\x2F";
  ByteSource source(path);
  const auto head = source.next().substr(0, 4096);
  if (head.starts_with(kFasttextMagic)) refuse_binary(path.string(), /*fasttext=*/true);
  const bool controls = std::any_of(head.begin(), head.end(), [](char c) {
    return static_cast<unsigned char>(c) < ' ' && c != '\t' && c != '\n' && c != '\r';
  });
  const auto line_end = std::min(head.find('\n'), head.size());
  bool binary = false;
  if (stated_width(head.substr(0, line_end))) {
    auto first = head.substr(std::min(line_end + 1, head.size()));
    first = first.substr(0, first.find('\n'));
    // The head may end inside a character.
    binary = find_invalid_utf8(first) + 3 < first.size() && count_numbers(first) == 0;
  }
  if (controls || binary) refuse_binary(path.string(), /*fasttext=*/false);
}

// A word may contain blanks (GloVe 840B has such), so the numbers are taken from the end.
bool split(std::string_view line, std::vector<float>& values, std::string_view& word) {
  line = trim_right(line);
  for (auto value = values.rbegin(); value != values.rend(); ++value) {
    if (!parse(take_last_field(line), *value)) return false;
  }
  word = line;
  return !word.empty();
}

}  // namespace

double WordVectors::coverage(std::int64_t vocabulary_size) const {
  return vocabulary_size == 0
             ? 0.0
             : static_cast<double>(ids.size()) / static_cast<double>(vocabulary_size);
}

WordVectors read_word_vectors(const std::filesystem::path& path, const text::Tokenizer& tokenizer,
                              std::int64_t width) {
  std::unordered_map<std::string, std::int64_t, text::StringHash, std::equal_to<>> wanted;
  for (std::int32_t id = 0; id < tokenizer.vocabulary_size(); ++id) {
    wanted.emplace(tokenizer.token(id), id);
  }
  refuse_if_binary(path);
  LineStream lines(path);
  WordVectors vectors;
  std::vector<float> values(static_cast<std::size_t>(width));
  std::string_view word;
  for (std::string line; lines.next(line);) {
    if (lines.line_number() == 1) {
      const auto stated = width != 1 ? stated_width(line) : std::nullopt;
      if (stated && *stated != width) refuse_width(lines.name(), *stated);
      if (stated) continue;
      const auto found = count_numbers(line);
      if (found > 1 && found != width) refuse_width(lines.name(), found);
    }
    if (!split(line, values, word)) {
      throw std::invalid_argument(
          lines.where() + ": expected a word and " + std::to_string(width) +
          " numbers; set model.width to the width of the vectors, or use other vectors");
    }
    const auto found = wanted.find(word);
    if (found == wanted.end()) continue;
    vectors.ids.push_back(found->second);
    vectors.values.insert(vectors.values.end(), values.begin(), values.end());
    wanted.erase(found);
  }
  if (lines.line_number() == 0) {
    throw std::invalid_argument(lines.name() + " is empty, expected word vectors");
  }
  if (vectors.ids.empty()) {
    throw std::invalid_argument(lines.name() +
                                ": contains none of the words of the vocabulary; check its "
                                "language, and text.lowercase if its words have capital letters");
  }
  return vectors;
}

}  // namespace fastformer::data

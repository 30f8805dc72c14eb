#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "fastformer/base/config_field.h"

struct UConverter;

namespace fastformer::data {

/// What a reader does with NUL and with bytes that are invalid in the encoding of the file.
enum class InvalidText : std::uint8_t { kError, kReplace };

/// How the bytes of a file are decoded: fields of section [data] in every recipe.
struct TextEncoding {
  std::string encoding;
  InvalidText invalid_utf8 = InvalidText::kError;

  void visit_fields(base::FieldVisitor& visit);
};

/// The byte order mark at the start of a file.
struct ByteOrderMark {
  const char* encoding = nullptr;  ///< null: no mark
  std::size_t length = 0;
};
ByteOrderMark byte_order_mark(std::string_view bytes);

/// The most likely encoding of a text that begins with `bytes`: that of its byte order mark, UTF-8
/// if the bytes are valid UTF-8, else ICU's guess.
std::string likely_encoding(std::string_view bytes);

/// Whether the name denotes UTF-8; an empty name does.
bool is_utf8(const std::string& encoding);

/// Converts another encoding to UTF-8, block by block, with ICU's converters.
class TextDecoder {
 public:
  /// Throws std::invalid_argument for an encoding that ICU does not know.
  TextDecoder(const std::string& encoding, InvalidText invalid);

  /// The text of the next bytes. An incomplete character at the end is kept for the next call;
  /// `last`: no call follows. Throws std::invalid_argument that starts with `name` and gives the
  /// position of the byte for bytes that are invalid in the encoding.
  std::string decode(std::string_view bytes, bool last, const std::string& name);

  std::int64_t replaced() const { return *replaced_; }

 private:
  struct Close {
    void operator()(UConverter* converter) const;
  };

  std::string encoding_;
  std::unique_ptr<UConverter, Close> source_, target_;
  std::unique_ptr<std::int64_t> replaced_;  ///< the converter holds its address
  std::int64_t offset_ = 0;
};

}  // namespace fastformer::data

namespace fastformer::base {
template <>
inline constexpr std::array kWords<data::InvalidText> = {"error", "replace"};
}  // namespace fastformer::base

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "fastformer/base/config_field.h"

struct UConverter;

namespace fastformer::data {

/// What to do with bytes that are no character of the file's encoding, and with NUL.
enum class InvalidText : std::uint8_t { kError, kReplace };

/// How the bytes of a file become text: fields of [data] in every recipe.
struct TextEncoding {
  std::string encoding;
  InvalidText invalid_utf8 = InvalidText::kError;

  void visit_fields(base::FieldVisitor& visit);
};

/// The encoding that a byte order mark at the head of `bytes` stands for, and the mark's length.
struct ByteOrderMark {
  const char* encoding = nullptr;  ///< null: there is no mark
  std::size_t length = 0;
};
ByteOrderMark byte_order_mark(std::string_view bytes);

/// The encoding that text which begins with `bytes` is most likely in: that of its mark, UTF-8
/// where it is that, else ICU's guess.
std::string likely_encoding(std::string_view bytes);

/// Whether the name stands for UTF-8, as an empty one does.
bool is_utf8(const std::string& encoding);

/// Turns the bytes of another encoding into UTF-8, block by block, with ICU's converters.
class TextDecoder {
 public:
  /// Throws std::invalid_argument for an encoding that ICU does not know.
  TextDecoder(const std::string& encoding, InvalidText invalid);

  /// The text of the next bytes. A character that is cut in two comes with its rest; `last` says
  /// that there is none. Throws std::invalid_argument that starts with `name` and gives the byte
  /// for what the encoding does not have.
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

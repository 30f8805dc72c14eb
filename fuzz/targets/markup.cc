#include "fastformer/text/markup.h"

#include "fastformer/base/printable.h"
#include "fastformer/data/utf8.h"
#include "target.h"

namespace fastformer::fuzz {

void run(std::string_view bytes) {
  const auto plain = text::strip_markup(bytes);
  if (data::find_invalid_utf8(bytes) == std::string_view::npos) {
    check_utf8(plain, "the text of UTF-8 is UTF-8");
  }
  const auto shown = base::printable(bytes);
  check_utf8(shown, "a printable text is UTF-8");
  check(!base::has_control_characters(shown), "a printable text has no control characters");
}

}  // namespace fastformer::fuzz

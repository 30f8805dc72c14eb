#include "fastformer/data/line_stream.h"
#include "target.h"

namespace fastformer::fuzz {

// A file, plain, compressed or an archive, and behind it 2 bytes that choose its encoding.
void run(std::string_view bytes) {
  auto choices = provider(take_choices(bytes, 2));
  data::TextEncoding encoding;
  encoding.encoding = choices.PickValueInArray(
      {"", "", "UTF-16", "UTF-16LE", "UTF-32BE", "windows-1252", "GB18030", "Shift_JIS", "UTF-7",
       "ISO-2022-JP", "EUC-KR", "HZ", "SCSU", "IBM-943", "BOCU-1"});
  if (choices.ConsumeBool()) encoding.invalid_utf8 = data::InvalidText::kReplace;
  const auto file = write("file", bytes);
  refuses([&] {
    data::LineStream lines(file, encoding);
    std::int64_t count = 0;
    for (std::string line; lines.next(line);) {
      check(lines.line_number() == ++count, "lines are counted");
      check_utf8(line, "a line is UTF-8");
      check(line.find('\n') == std::string::npos && line.find('\0') == std::string::npos,
            "a line has no line feed and no NUL");
    }
    check_utf8(lines.notice(), "a notice is UTF-8");
  });
  check_utf8(data::likely_encoding(bytes), "the name of an encoding is UTF-8");
  if (auto member = data::LineStream::in_zip(file, "news.tsv", encoding)) {
    for (std::string line; member->next(line);) check_utf8(line, "a line is UTF-8");
  }
}

}  // namespace fastformer::fuzz

#include "fastformer/classification/data_config.h"
#include "fastformer/classification/readers/reader.h"
#include "fastformer/data/delimited_records.h"
#include "target.h"

namespace fastformer::fuzz {

using classification::Example;

// A table, and behind it 16 bytes that choose how it is read.
void run(std::string_view bytes) {
  auto choices = provider(take_choices(bytes, 16));
  classification::DataConfig config;
  config.format = choices.ConsumeBool() ? "csv" : "tsv";
  config.text_columns = {choices.PickValueInArray({"1", "2", "text"})};
  config.label_column = choices.PickValueInArray({"", "1", "2", "label"});
  config.header =
      choices.PickValueInArray({classification::HeaderRow::kAuto, classification::HeaderRow::kYes,
                                classification::HeaderRow::kNo});
  config.dialect.delimiter = choices.PickValueInArray({"auto", ";", "tab", "|", " ", ","});
  config.dialect.quote = choices.PickValueInArray({"auto", "none", "'", "\""});
  config.dialect.quote_escape =
      choices.ConsumeBool() ? data::QuoteEscape::kBackslash : data::QuoteEscape::kDoubled;
  config.bad_rows = choices.ConsumeBool() ? data::BadRows::kSkip : data::BadRows::kError;
  config.encoding.invalid_utf8 =
      choices.ConsumeBool() ? data::InvalidText::kReplace : data::InvalidText::kError;
  config.validate();
  const auto file = write("table.csv", bytes);
  const auto reader = classification::open_reader(config, file);
  std::size_t columns = 0;
  for (Example example; reader->next(example);) {
    check_utf8(example.text, "a text is UTF-8");
    check_utf8(example.label, "a label is UTF-8");
    const auto fields = reader->fields();
    check(columns == 0 || fields.size() == columns, "all rows have as many fields");
    columns = fields.size();
  }
  for (const auto& notice : reader->notices()) check_utf8(notice, "a notice is UTF-8");
}

}  // namespace fastformer::fuzz

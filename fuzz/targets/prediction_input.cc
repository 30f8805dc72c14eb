#include "fastformer/cli/answers/prediction_input.h"

#include "target.h"

namespace fastformer::fuzz {

// A file that `predict` reads, and behind it 4 bytes that choose its name and format.
void run(std::string_view bytes) {
  auto choices = provider(take_choices(bytes, 4));
  classification::DataConfig trained_on;
  trained_on.format = choices.PickValueInArray({"csv", "jsonl", "fasttext"});
  if (classification::has_columns(trained_on.format)) {
    trained_on.text_columns = {choices.PickValueInArray({"1", "text"})};
    trained_on.label_column = "label";
  }
  const auto file = write(choices.PickValueInArray({"a.csv", "a.tsv", "a.jsonl", "a.txt"}), bytes);
  cli::PredictionInput input(
      {.input = file.string(), .format = choices.PickValueInArray({"auto", "lines", "csv"})},
      trained_on);
  for (cli::PredictionInput::Record record; input.next(record);) {
    check_utf8(record.text, "a text is UTF-8");
    check(!record.fields.empty() || record.text.empty(), "a record has fields");
  }
  for (const auto& notice : input.notices()) check_utf8(notice, "a notice is UTF-8");
}

}  // namespace fastformer::fuzz

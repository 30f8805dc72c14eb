#include <nlohmann/json.hpp>

#include "fastformer/classification/data_config.h"
#include "fastformer/classification/readers/reader.h"
#include "target.h"

namespace fastformer::fuzz {

void run(std::string_view bytes) {
  auto choices = provider(take_choices(bytes, 2));
  classification::DataConfig config;
  config.format = "jsonl";
  config.text_columns = {"text"};
  if (choices.ConsumeBool()) config.label_column = "label";
  if (choices.ConsumeBool()) config.bad_rows = data::BadRows::kSkip;
  const auto reader = classification::open_reader(config, write("a.jsonl", bytes));
  for (classification::Example example; reader->next(example);) {
    check_utf8(example.text, "a text is UTF-8");
    for (const auto& field : reader->fields()) {
      check_utf8(field.value, "a field is UTF-8");
      if (field.is_json && !field.value.empty()) {
        check(nlohmann::json::accept(field.value), "a field of JSON is JSON");
      }
    }
  }
}

}  // namespace fastformer::fuzz

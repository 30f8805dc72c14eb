#include "fastformer/classification/data_config.h"
#include "fastformer/classification/readers/reader.h"
#include "target.h"

namespace fastformer::fuzz {

void run(std::string_view bytes) {
  classification::DataConfig config;
  config.format = "fasttext";
  const auto reader = classification::open_reader(config, write("train.txt", bytes));
  for (classification::Example example; reader->next(example);) {
    check_utf8(example.text, "a text is UTF-8");
    check(classification::normalized_label(example.label) == example.label,
          "a normalized label stays as it is");
  }
}

}  // namespace fastformer::fuzz

#include "clicks.h"
#include "fastformer/classification/data_config.h"
#include "fastformer/classification/readers/reader.h"

namespace fastformer::fuzz {

void run(std::string_view bytes) {
  const auto file = write("Packages", bytes);
  refuses([&] {
    classification::DataConfig config;
    config.format = "debian";
    const auto reader = classification::open_reader(config, file);
    for (classification::Example example; reader->next(example);) {
      check_utf8(example.text, "a text is UTF-8");
      check(!example.text.empty(), "a package has a description");
    }
  });
  recommendation::DataConfig config;
  config.format = "debian";
  config.sampled_negatives = 2;
  config.title_columns = {"title", "body"};
  config.train = {file.string()};
  check_clicks(config);
}

}  // namespace fastformer::fuzz

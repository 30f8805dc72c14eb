#include "fastformer/classification/data_config.h"
#include "fastformer/classification/readers/reader.h"
#include "fastformer/recommendation/data_config.h"
#include "fastformer/recommendation/readers/reader.h"
#include "target.h"

namespace fastformer::fuzz {

void run(std::string_view bytes) {
  const auto file = write("news.tsv", bytes);
  refuses([&] {
    classification::DataConfig config;
    config.format = "mind";
    config.mind_body = true;
    const auto reader = classification::open_reader(config, file);
    for (classification::Example example; reader->next(example);) {
      check_utf8(example.text, "a text is UTF-8");
    }
  });
  recommendation::DataConfig config;
  config.title_columns = {"title", "abstract"};
  recommendation::ItemTable items;
  recommendation::read_items(file, config, items);
  for (std::int32_t item = 1; item < items.size(); ++item) {
    check(items.find(items.id(item)) == item, "an item has its own number");
    check(items.category(item) < std::ssize(items.categories()), "a category is in the table");
    check_utf8(items.title(item), "a title is UTF-8");
  }
}

}  // namespace fastformer::fuzz

#include "fastformer/linear/ngrams.h"

#include "fastformer/linear/ngram_table.h"
#include "target.h"

namespace fastformer::fuzz {

void run(std::string_view bytes) {
  const linear::NgramConfig config{.words = 3, .characters = 5};
  const text::TokenizerConfig text;
  const auto table = linear::NgramTable::learn(config, text, [&](const auto& use) {
    use(bytes);
    use(bytes.substr(0, bytes.size() / 2));
  });
  std::vector<std::int32_t> columns;
  table.encode(bytes, columns);
  for (const auto column : columns) {
    check(column >= 0 && column < table.size(), "a column is in the table");
  }
  std::vector<std::int32_t> again;
  table.encode(bytes, again);
  check(columns == again, "a text has the same columns from the cache");
  for (const auto& [column, spelling] : table.spellings(bytes)) {
    check(column >= 0 && column < table.size(), "a column is in the table");
    check_utf8(spelling, "a spelling is UTF-8");
  }
}

}  // namespace fastformer::fuzz

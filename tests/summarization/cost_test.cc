// The time of reading pairs grows with the size of their files, whatever they hold.
#include <stdexcept>

#include "fastformer/summarization/data_config.h"
#include "fastformer/summarization/readers/reader.h"
#include "support/cost_check.h"
#include "support/temporary_folder.h"

namespace fastformer::summarization {
namespace {

using testing::expect_linear;
using testing::filled;

void read(const std::string& format, const std::filesystem::path& file) {
  DataConfig config;
  config.format = format;
  try {
    const auto reader = open_pair_reader(config, file);
    for (TextPair pair; reader->next(pair);) continue;
  } catch (const std::invalid_argument&) {
    return;
  }
}

TEST(PairCostSlow, MarksOfSentences) {
  const testing::TemporaryFolder folder;
  for (const std::string part : {"<S>", "</S>", " </S>", "<S> ", "<", "a <S>", " "}) {
    expect_linear(
        "marks of " + part,
        [&](std::size_t size) {
          return folder.write(
              "file", "{\"article_text\":[],\"abstract_text\":[\"" + filled(part, size) + "\"]}");
        },
        [](const auto& file) { read("pubmed", file); });
  }
}

TEST(PairCostSlow, Formats) {
  const testing::TemporaryFolder folder;
  for (const std::string format : {"jsonl", "story"}) {
    for (const std::string part : {"@highlight\n", "\n", "a\n", "\r", " ", "a",
                                   "{\"source\":\"a\",\"target\":[\"b\",\"c\"]}\n"}) {
      expect_linear(
          format + " of " + part,
          [&](std::size_t size) { return folder.write("a.story", filled(part, size)); },
          [&](const auto& file) { read(format, file); });
    }
  }
}

}  // namespace
}  // namespace fastformer::summarization

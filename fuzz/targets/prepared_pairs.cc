#include "fastformer/summarization/dataset.h"
#include "target.h"

namespace fastformer::fuzz {

// A dataset.json, and after a NUL a checksums.json, of a cache that was written before.
void run(std::string_view bytes) {
  static const auto config = [] {
    summarization::DataConfig made;
    made.train = {write("pairs.jsonl", "{\"source\":\"a b c\",\"target\":\"a b\"}\n").string()};
    return made;
  }();
  static const text::TokenizerConfig text{.minimum_count = 1};
  const auto cache = folder() / "cache";
  std::filesystem::remove_all(cache);
  summarization::prepare(config, text, cache);
  const auto prepared =
      std::filesystem::directory_iterator(cache)->path().lexically_relative(folder());
  const auto cut = bytes.find('\0');
  write((prepared / "dataset.json").string(), bytes.substr(0, cut));
  write((prepared / "checksums.json").string(),
        cut == std::string_view::npos ? "{}" : bytes.substr(cut + 1));
  const auto dataset = summarization::prepare(config, text, cache);
  check(dataset.train.size() == 1, "the pair is there");
  check_utf8(dataset.summary(), "a summary is UTF-8");
}

}  // namespace fastformer::fuzz

#include <array>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "fastformer/base/suggest.h"
#include "fastformer/data/jsonl_pair_reader.h"
#include "fastformer/data/pair_reader.h"
#include "fastformer/data/parallel_reader.h"
#include "fastformer/data/story_reader.h"

namespace fastformer::data {
namespace {

namespace fs = std::filesystem;

void tidy(std::string& text) {
  if (text.find('\r') != std::string::npos) {
    std::string unified;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '\r') {
        unified += text[i];
      } else if (i + 1 == text.size() || text[i + 1] != '\n') {
        unified += '\n';
      }
    }
    text = std::move(unified);
  }
  constexpr std::string_view kBlank = " \t\n";
  text.erase(text.find_last_not_of(kBlank) + 1);
  text.erase(0, text.find_first_not_of(kBlank));
}

// What holds for every format: a source without pairs is an error, texts are tidied.
class CheckedPairReader final : public PairReader {
 public:
  CheckedPairReader(std::unique_ptr<PairReader> reader, const fs::path& entry)
      : reader_(std::move(reader)), entry_(entry) {}

  bool next(TextPair& pair) override {
    if (!reader_->next(pair)) {
      if (!any_) {
        throw std::invalid_argument(entry_.string() +
                                    ": holds no pairs, expected at least one document with its "
                                    "summary");
      }
      return false;
    }
    any_ = true;
    tidy(pair.source);
    tidy(pair.target);
    return true;
  }

 private:
  std::unique_ptr<PairReader> reader_;
  fs::path entry_;
  bool any_ = false;
};

using Sources = std::vector<fs::path>;

Sources itself(const PairDataConfig&, const fs::path& entry) { return {entry}; }

Sources two_files(const PairDataConfig& config, const fs::path& entry) {
  return {entry.string() + "." + config.source_field, entry.string() + "." + config.target_field};
}

std::unique_ptr<PairReader> open_jsonl(const PairDataConfig& config, const Sources& sources) {
  return std::make_unique<JsonlPairReader>(sources[0], config.source_field, config.target_field);
}
std::unique_ptr<PairReader> open_story(const PairDataConfig&, const Sources& sources) {
  return std::make_unique<StoryReader>(sources[0]);
}
std::unique_ptr<PairReader> open_pubmed(const PairDataConfig&, const Sources& sources) {
  return std::make_unique<PubmedReader>(sources[0]);
}
std::unique_ptr<PairReader> open_parallel(const PairDataConfig&, const Sources& sources) {
  return std::make_unique<ParallelReader>(sources[0], sources[1]);
}

struct Row {
  const char* name;
  Sources (*sources)(const PairDataConfig&, const fs::path&);
  std::unique_ptr<PairReader> (*open)(const PairDataConfig&, const Sources&);
};

constexpr std::array kPairReaders = {
    Row{"jsonl", itself, open_jsonl},
    Row{"story", itself, open_story},
    Row{"pubmed", itself, open_pubmed},
    Row{"parallel", two_files, open_parallel},
};

const Row& row(const std::string& format) {
  std::vector<std::string> names;
  for (const auto& row : kPairReaders) {
    if (format == row.name) return row;
    names.emplace_back(row.name);
  }
  throw std::invalid_argument("data.format is '" + format + "'" + base::suggestion(format, names));
}

}  // namespace

std::unique_ptr<PairReader> open_pair_reader(const PairDataConfig& config, const fs::path& entry) {
  const Row& format = row(config.format);
  return std::make_unique<CheckedPairReader>(format.open(config, format.sources(config, entry)),
                                             entry);
}

std::vector<fs::path> pair_sources(const PairDataConfig& config, const fs::path& entry) {
  return row(config.format).sources(config, entry);
}

void for_each_pair(const PairDataConfig& config, const std::vector<std::string>& entries,
                   const std::function<void(TextPair&)>& visit) {
  TextPair pair;
  for (const auto& entry : entries) {
    const auto reader = open_pair_reader(config, entry);
    while (reader->next(pair)) visit(pair);
  }
}

}  // namespace fastformer::data

#include "fastformer/summarization/readers/reader.h"

#include <stdexcept>
#include <string_view>
#include <utility>

#include "fastformer/base/ascii.h"
#include "fastformer/base/out_of_memory.h"
#include "fastformer/base/printable.h"
#include "fastformer/base/registry.h"
#include "fastformer/summarization/data_config.h"
#include "fastformer/summarization/readers/formats.h"

namespace fastformer::summarization {
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
  text = std::string(base::trimmed(text, " \t\n"));
}

// Common to all formats: a source without pairs is an error, and white space is cleaned.
class CheckedPairReader final : public PairReader {
 public:
  CheckedPairReader(std::unique_ptr<PairReader> reader, const fs::path& entry)
      : reader_(std::move(reader)), entry_(entry) {}

  bool next(TextPair& pair) override {
    if (!reader_->next(pair)) {
      if (!any_) {
        throw std::invalid_argument(
            entry_.string() +
            ": contains no pairs, expected at least one document with its summary");
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

using Sources = PairReaderRow::Sources;

PairReaderRow delimited_row(const char* name, char delimiter) {
  return {.name = name,
          .open =
              [delimiter](const DataConfig& config, const Sources& sources) {
                return open_delimited(sources[0], delimiter, config.source_field,
                                      config.target_field, config.encoding, config.dialect);
              },
          .has_fields = true};
}

base::Registry<PairReaderRow>& readers() {
  static base::Registry<PairReaderRow> rows(
      "data.format",
      {{.name = "jsonl",
        .open =
            [](const DataConfig& config, const Sources& sources) {
              return open_jsonl(sources[0], config.source_field, config.target_field,
                                config.encoding);
            },
        .has_fields = true},
       delimited_row("csv", ','),
       delimited_row("tsv", '\t'),
       {.name = "story",
        .open = [](const DataConfig& config,
                   const Sources& sources) { return open_story(sources[0], config.encoding); }},
       {.name = "pubmed",
        .open = [](const DataConfig& config,
                   const Sources& sources) { return open_pubmed(sources[0], config.encoding); }},
       {.name = "parallel",
        .open =
            [](const DataConfig& config, const Sources& sources) {
              return open_parallel(sources[0], sources[1], config.encoding);
            },
        .sources =
            [](const DataConfig& config, const fs::path& entry) {
              return Sources{entry.string() + "." + config.source_field,
                             entry.string() + "." + config.target_field};
            },
        .has_fields = true}});
  return rows;
}

}  // namespace

void register_pair_reader(PairReaderRow row) { readers().add(std::move(row)); }

std::vector<std::string> pair_reader_names() { return readers().names(); }

bool has_fields(const std::string& format) { return readers().find(format).has_fields; }

std::unique_ptr<PairReader> open_pair_reader(const DataConfig& config, const fs::path& entry) {
  return std::make_unique<CheckedPairReader>(
      readers().find(config.format).open(config, pair_sources(config, entry)), entry);
}

Sources pair_sources(const DataConfig& config, const fs::path& entry) {
  const auto& row = readers().find(config.format);
  return row.sources ? row.sources(config, entry) : Sources{entry};
}

void for_each_pair(const DataConfig& config, const std::vector<std::string>& entries,
                   const std::function<void(TextPair&)>& visit) {
  TextPair pair;
  for (const auto& entry : entries) {
    base::naming_memory([&] { return "what is read of " + base::excerpt(entry, 500); },
                        [&] {
                          const auto reader = open_pair_reader(config, entry);
                          while (reader->next(pair)) visit(pair);
                        });
  }
}

}  // namespace fastformer::summarization

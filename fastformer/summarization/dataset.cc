#include "fastformer/summarization/dataset.h"

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "fastformer/base/atomic_file.h"
#include "fastformer/data/cache.h"
#include "fastformer/data/chunk_queue.h"
#include "fastformer/data/splits.h"
#include "fastformer/data/summary_table.h"

namespace fastformer::summarization {
namespace {

namespace fs = std::filesystem;

constexpr int kFormatVersion = 4;
constexpr const char* kTokenizerFolder = "tokenizer";
constexpr const char* kTrainPart = "train";
constexpr const char* kValidationPart = "validation";
constexpr const char* kTestPart = "test";

// Calls its argument for each pair, in order; may be called several times.
using PairSource = std::function<void(const std::function<void(TextPair&)>&)>;

struct PairSources {
  std::string name;  // of the training source, for messages
  PairSource train, validation, test;
};

PairSources file_sources(const DataConfig& config) {
  const auto of = [&config](const std::vector<std::string>& entries) {
    return [&config, &entries](const std::function<void(TextPair&)>& visit) {
      for_each_pair(config, entries, visit);
    };
  };
  return {config.train.front(), of(config.train), of(config.validation), of(config.test)};
}

// The two corpora of a part while they are written; an empty folder: in memory.
class PartWriter {
 public:
  explicit PartWriter(const fs::path& folder = {}, const std::string& part = {})
      : source_(file(folder, part, ".source.tokens")),
        target_(file(folder, part, ".target.tokens")) {}

  void add(const text::LimitedIds& source, const text::LimitedIds& target, std::int64_t record) {
    source_.add(source.ids, record, source.truncated);
    target_.add(target.ids, record, target.truncated);
  }
  std::int64_t size() const { return source_.size(); }
  PairCorpus finish() { return {source_.finish(), target_.finish()}; }

  static PairCorpus open(const fs::path& folder, const std::string& part, std::int64_t tokens,
                         std::int64_t target_tokens) {
    PairCorpus corpus{data::Corpus::open(file(folder, part, ".source.tokens"), tokens),
                      data::Corpus::open(file(folder, part, ".target.tokens"), target_tokens)};
    if (corpus.source.size() == corpus.target.size()) return corpus;
    throw std::invalid_argument(folder.string() + ": has " + std::to_string(corpus.source.size()) +
                                " documents, but " + std::to_string(corpus.target.size()) +
                                " summaries for " + part +
                                "; delete the folder to prepare the data again");
  }

  DroppedPairs dropped;

 private:
  static fs::path file(const fs::path& folder, const std::string& part, const char* ending) {
    return folder.empty() ? fs::path() : folder / (part + ending);
  }

  data::CorpusWriter source_, target_;
};

// Encodes pairs on other threads, adds them to their writers in order, and drops pairs that are
// empty or too short.
class Encoder {
 public:
  Encoder(const PairEncoding& encoding, const text::Tokenizer& tokenizer, const DataConfig& config)
      : queue_(
            [&encoding, &tokenizer, &config](Pair& pair) {
              pair.encoded = encoding.encode(tokenizer, config, pair.texts);
              pair.texts = {};
            },
            [](Pair& pair) {
              if (pair.encoded) {
                pair.writer->add(pair.encoded->source, pair.encoded->target, pair.record);
              } else {
                ++pair.writer->dropped.too_short;
              }
            }) {}

  void add(TextPair texts, std::int64_t record, PartWriter& writer) {
    if (texts.empty()) {
      ++writer.dropped.empty;
      return;
    }
    const std::size_t bytes = texts.source.size() + texts.target.size();
    queue_.add({std::move(texts), record, &writer, {}}, bytes);
  }
  void finish() { queue_.finish(); }

 private:
  struct Pair {
    TextPair texts;
    std::int64_t record;
    PartWriter* writer;
    std::optional<EncodedPair> encoded;
  };

  data::ChunkQueue<Pair> queue_;
};

// Part::kDropped: the pair has no document or no summary.
std::vector<data::Part> divide(const PairSource& source, const DataConfig& config) {
  std::vector<data::SplitRow> rows;
  source([&](TextPair& pair) {
    const auto row = static_cast<std::int64_t>(rows.size());
    rows.push_back({data::group_key(pair.source, row), pair.empty() ? -1 : 0});
  });
  return data::assign_parts(rows, {.validation_fraction = config.validation_fraction,
                                   .stratify = false,
                                   .seed = static_cast<std::uint64_t>(config.split_seed)});
}

void for_each_training_pair(const PairSource& source, const std::vector<data::Part>& parts,
                            const std::function<void(TextPair&, std::size_t)>& visit) {
  const auto check = [](bool same) {
    if (!same) {
      throw std::runtime_error("the training files changed while they were read; start again");
    }
  };
  std::size_t row = 0;
  source([&](TextPair& pair) {
    check(row < parts.size());
    visit(pair, row++);
  });
  check(row == parts.size());
}

void check_any_left(const std::string& entry, std::int64_t left, const DroppedPairs& dropped) {
  if (left > 0) return;
  throw std::invalid_argument(entry + ": no pair is left: " + std::to_string(dropped.empty) +
                              " without a document or a summary, " +
                              std::to_string(dropped.too_short) +
                              " shorter than data.min_source_tokens or min_target_tokens; check "
                              "the files and the minimums");
}

void add_pairs(const PairSource& source, Encoder& encoder, PartWriter& writer) {
  std::int64_t record = 0;
  source([&](TextPair& pair) { encoder.add(std::move(pair), record++, writer); });
}

// An empty folder: in memory.
Dataset build(const PairSources& sources, const DataConfig& config,
              const text::TokenizerConfig& text_config, const PairEncoding& encoding,
              const fs::path& start, const fs::path& folder) {
  const auto parts = divide(sources.train, config);
  check_any_left(sources.name, std::count(parts.begin(), parts.end(), data::Part::kTrain),
                 {.empty = std::count(parts.begin(), parts.end(), data::Part::kDropped)});
  Dataset dataset;
  dataset.target_is_text = encoding.target_is_text;
  const text::TextSource texts = [&](const std::function<void(std::string_view)>& use_text) {
    for_each_training_pair(sources.train, parts, [&](TextPair& pair, std::size_t row) {
      if (parts[row] != data::Part::kTrain) return;
      use_text(pair.source);
      use_text(pair.target);
    });
  };
  dataset.tokenizer = start.empty() ? text::make_tokenizer(text_config, texts)
                                    : text::extend_tokenizer(start, text_config, texts);
  PartWriter train(folder, kTrainPart), validation(folder, kValidationPart),
      test(folder, kTestPart);
  Encoder encoder(encoding, *dataset.tokenizer, config);
  for_each_training_pair(sources.train, parts, [&](TextPair& pair, std::size_t row) {
    encoder.add(std::move(pair), static_cast<std::int64_t>(row),
                parts[row] == data::Part::kValidation ? validation : train);
  });
  add_pairs(sources.validation, encoder, validation);
  add_pairs(sources.test, encoder, test);
  encoder.finish();
  check_any_left(sources.name, train.size(), train.dropped);
  dataset.train_dropped = train.dropped;
  dataset.validation_dropped = validation.dropped;
  dataset.test_dropped = test.dropped;
  dataset.train = train.finish();
  dataset.validation = validation.finish();
  dataset.test = test.finish();
  return dataset;
}

nlohmann::ordered_json to_json(const DroppedPairs& dropped) {
  return {{"empty", dropped.empty}, {"too_short", dropped.too_short}};
}

DroppedPairs dropped_of(const nlohmann::json& json) {
  return {.empty = json.at("empty").get<std::int64_t>(),
          .too_short = json.at("too_short").get<std::int64_t>()};
}

void save(const Dataset& dataset, const fs::path& folder) {
  base::create_folder(folder / kTokenizerFolder);
  dataset.tokenizer->save(folder / kTokenizerFolder);
  const nlohmann::ordered_json json = {{"version", kFormatVersion},
                                       {kTrainPart, to_json(dataset.train_dropped)},
                                       {kValidationPart, to_json(dataset.validation_dropped)},
                                       {kTestPart, to_json(dataset.test_dropped)}};
  base::write_file_atomically(folder / data::kDatasetFile, json.dump(2) + "\n");
}

Dataset open(const fs::path& folder, const PairEncoding& encoding) {
  Dataset dataset;
  dataset.target_is_text = encoding.target_is_text;
  const fs::path file = folder / data::kDatasetFile;
  try {
    const auto json = nlohmann::json::parse(base::read_small_file(file));
    dataset.train_dropped = dropped_of(json.at(kTrainPart));
    dataset.validation_dropped = dropped_of(json.at(kValidationPart));
    dataset.test_dropped = dropped_of(json.at(kTestPart));
  } catch (const nlohmann::json::exception&) {
    throw std::invalid_argument(file.string() + ": is damaged; delete the folder " +
                                folder.string() + " to prepare the data again");
  }
  dataset.tokenizer = text::load_tokenizer(folder / kTokenizerFolder);
  const auto tokens = dataset.tokenizer->vocabulary_size();
  const auto target_tokens =
      encoding.most_target_id > 0 ? std::int64_t{encoding.most_target_id} + 1 : tokens;
  dataset.train = PartWriter::open(folder, kTrainPart, tokens, target_tokens);
  dataset.validation = PartWriter::open(folder, kValidationPart, tokens, target_tokens);
  dataset.test = PartWriter::open(folder, kTestPart, tokens, target_tokens);
  return dataset;
}

data::CacheKey key_of(const DataConfig& config, const text::TokenizerConfig& text_config,
                      const PairEncoding& encoding, const fs::path& start) {
  data::CacheKey key;
  key.add(std::string("pairs"));
  key.add(encoding.name);
  key.add(std::int64_t{kFormatVersion});
  DataConfig data = config;
  data.cache.clear();  // the location of the cache does not change its content
  key.add_config(data);
  key.add_config(text_config);
  for (const auto* entries : {&config.train, &config.validation, &config.test}) {
    for (const auto& entry : *entries) {
      for (const auto& source : pair_sources(config, entry)) key.add_source(source);
    }
  }
  if (!text_config.model_file.empty()) key.add_source(text_config.model_file);
  if (!start.empty()) {
    key.add(static_cast<std::int64_t>(text::load_tokenizer(start)->checksum()));
  }
  return key;
}

}  // namespace

std::vector<std::int64_t> PairCorpus::lengths() const {
  auto lengths = source.lengths();
  const auto summaries = target.lengths();
  for (std::size_t row = 0; row < lengths.size(); ++row) lengths[row] += summaries[row];
  return lengths;
}

const PairEncoding& token_pairs() {
  static const PairEncoding encoding{
      .name = "tokens",
      .encode = [](const text::Tokenizer& tokenizer, const DataConfig& config,
                   const TextPair& pair) -> std::optional<EncodedPair> {
        EncodedPair encoded{text::encode_limited(tokenizer, pair.source, config.max_source_tokens),
                            text::encode_limited(tokenizer, pair.target, config.max_target_tokens)};
        if (std::ssize(encoded.source.ids) < config.min_source_tokens ||
            std::ssize(encoded.target.ids) < config.min_target_tokens) {
          return std::nullopt;
        }
        return encoded;
      }};
  return encoding;
}

PairBatch gather(const PairCorpus& corpus, std::span<const std::int64_t> rows) {
  return {data::gather(corpus.source, rows), data::gather(corpus.target, rows)};
}

Dataset prepare(const DataConfig& config, const text::TokenizerConfig& text_config,
                const fs::path& cache_folder, const data::Notice& notice, const fs::path& start,
                const PairEncoding& encoding) {
  config.validate();
  text_config.validate();
  if (config.train.empty()) {
    throw std::invalid_argument("data.train is empty; list the files with the training pairs");
  }
  std::optional<Dataset> built;
  const auto folder = data::prepared_folder(
      cache_folder, key_of(config, text_config, encoding, start),
      [&](const fs::path& fresh) {
        built = build(file_sources(config), config, text_config, encoding, start, fresh);
        save(*built, fresh);
      },
      notice);
  return built ? std::move(*built) : open(folder, encoding);
}

Dataset prepare(std::span<const TextPair> pairs, const DataConfig& config,
                const text::TokenizerConfig& text_config, const fs::path& start,
                const PairEncoding& encoding) {
  text_config.validate();
  const PairSource none = [](const auto&) {};
  const PairSource source = [pairs](const std::function<void(TextPair&)>& visit) {
    for (auto pair : pairs) visit(pair);
  };
  return build({"the pairs", source, none, none}, config, text_config, encoding, start, {});
}

PairCorpus read_pairs(const DataConfig& config, const std::vector<std::string>& entries,
                      const text::Tokenizer& tokenizer, const PairEncoding& encoding) {
  config.validate();
  PartWriter writer;
  Encoder encoder(encoding, tokenizer, config);
  add_pairs([&](const auto& visit) { for_each_pair(config, entries, visit); }, encoder, writer);
  encoder.finish();
  check_any_left(entries.front(), writer.size(), writer.dropped);
  return writer.finish();
}

std::vector<TextPair> read_texts(const DataConfig& config, const std::vector<std::string>& entries,
                                 const PairCorpus& corpus) {
  std::vector<TextPair> texts;
  std::int64_t record = 0;
  for_each_pair(config, entries, [&](TextPair& pair) {
    const auto row = std::ssize(texts);
    if (row < corpus.size() && corpus.source.record(row) == record) {
      texts.push_back(std::move(pair));
    }
    ++record;
  });
  if (std::ssize(texts) != corpus.size()) {
    throw std::invalid_argument("the files of the pairs have " + std::to_string(record) +
                                " pairs, fewer than when they were prepared; prepare them again");
  }
  return texts;
}

std::string Dataset::summary() const {
  using data::LengthSummary;
  data::SummaryTable table(24);
  table.row("", kTrainPart, kValidationPart, kTestPart);
  table.row("pairs", train.size(), validation.size(), test.size());
  table.lengths("document ", {LengthSummary(train.source), LengthSummary(validation.source),
                              LengthSummary(test.source)});
  if (target_is_text) {
    table.lengths("summary ", {LengthSummary(train.target), LengthSummary(validation.target),
                               LengthSummary(test.target)});
  }
  table.row("dropped, empty", train_dropped.empty, validation_dropped.empty, test_dropped.empty);
  table.row("dropped, too short", train_dropped.too_short, validation_dropped.too_short,
            test_dropped.too_short);
  return table.text();
}

}  // namespace fastformer::summarization

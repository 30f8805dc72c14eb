#include "fastformer/classification/dataset.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/printable.h"
#include "fastformer/classification/dataset_scan.h"
#include "fastformer/data/cache.h"
#include "fastformer/data/chunk_queue.h"
#include "fastformer/data/summary_table.h"

namespace fastformer::classification {
namespace {

namespace fs = std::filesystem;

constexpr int kFormatVersion = 3;
constexpr const char* kTokenizerFolder = "tokenizer";
constexpr std::size_t kShownClasses = 50;
constexpr std::int64_t kPieceTokens = std::int64_t{1} << 22;

// The two corpora of a part while they are written; an empty folder: in memory.
class PartWriter {
 public:
  explicit PartWriter(const fs::path& folder = {}, const std::string& part = {})
      : texts_(file(folder, part, ".tokens")), labels_(file(folder, part, ".labels")) {}

  void add(const text::LimitedIds& encoded, std::int32_t label, std::int64_t record) {
    texts_.add(encoded.ids, record, encoded.truncated);
    labels_.add(std::span(&label, 1), record);
    tokens_ += std::ssize(encoded.ids);
  }
  std::int64_t tokens() const { return tokens_; }
  LabelledCorpus finish() { return {texts_.finish(), labels_.finish()}; }

  static LabelledCorpus open(const fs::path& folder, const std::string& part) {
    LabelledCorpus corpus{data::Corpus::open(file(folder, part, ".tokens")),
                          data::Corpus::open(file(folder, part, ".labels"))};
    if (corpus.texts.size() == corpus.labels.size()) return corpus;
    throw std::invalid_argument(folder.string() + ": holds " + std::to_string(corpus.texts.size()) +
                                " texts, but " + std::to_string(corpus.labels.size()) +
                                " labels for " + part + "; delete the folder");
  }

 private:
  static fs::path file(const fs::path& folder, const std::string& part, const char* ending) {
    return folder.empty() ? fs::path() : folder / (part + ending);
  }

  data::CorpusWriter texts_, labels_;
  std::int64_t tokens_ = 0;
};

struct Document {
  std::string text;
  std::int32_t label;
  std::int64_t record;
  PartWriter* writer;
  text::LimitedIds encoded = {};
};

// Encodes documents on other threads while the caller reads on, and adds them to their writers in
// the order in which they came.
class Encoder {
 public:
  Encoder(const text::Tokenizer& tokenizer, std::int64_t max_tokens)
      : queue_(
            [&tokenizer, max_tokens](Document& document) {
              document.encoded = text::encode_limited(tokenizer, document.text, max_tokens);
              document.text = {};
            },
            [](Document& document) {
              document.writer->add(document.encoded, document.label, document.record);
            }) {}

  void add(Document document) {
    const std::size_t bytes = document.text.size();
    queue_.add(std::move(document), bytes);
  }
  void finish() { queue_.finish(); }

 private:
  data::ChunkQueue<Document> queue_;
};

void write_parts(const ExampleSources& sources, const DataConfig& config, const DatasetScan& found,
                 const fs::path& folder, Dataset& dataset) {
  PartWriter train(folder, "train"), validation(folder, "validation"), test(folder, "test");
  Encoder encoder(*dataset.tokenizer, config.max_tokens);
  std::int64_t record = 0;
  const auto add = [&](Example& example, PartWriter& writer) {
    const std::int32_t label = found.label_id(example);
    if (label >= 0) encoder.add({std::move(example.text), label, record, &writer});
    ++record;
  };
  found.for_each_training_row(sources, [&](Example& example, data::Part part) {
    add(example, part == data::Part::kValidation ? validation
                 : part == data::Part::kTest     ? test
                                                 : train);
  });
  for (auto* const own : {&validation, &test}) {
    record = 0;
    const auto& source = own == &test ? sources.test : sources.validation;
    source([&](Example& example) { add(example, *own); });
  }
  encoder.finish();
  dataset.train = train.finish();
  dataset.validation = validation.finish();
  dataset.test = test.finish();
}

// An empty folder: in memory.
Dataset build(const ExampleSources& sources, const DataConfig& config,
              const text::TokenizerConfig& text_config, const fs::path& folder) {
  DatasetScan found = scan(sources, config);
  Dataset dataset;
  dataset.tokenizer =
      text::make_tokenizer(text_config, [&](const std::function<void(std::string_view)>& use_text) {
        found.for_each_training_row(sources, [&](Example& example, data::Part part) {
          if (part == data::Part::kTrain) use_text(example.text);
        });
      });
  write_parts(sources, config, found, folder, dataset);
  dataset.labels = std::move(found.labels);
  dataset.dropped_rows = found.dropped_rows;
  dataset.dropped_classes = found.dropped_classes;
  return dataset;
}

void save(const Dataset& dataset, const fs::path& folder) {
  base::create_folder(folder / kTokenizerFolder);
  dataset.tokenizer->save(folder / kTokenizerFolder);
  const nlohmann::ordered_json json = {{"version", kFormatVersion},
                                       {"labels", dataset.labels},
                                       {"dropped_rows", dataset.dropped_rows},
                                       {"dropped_classes", dataset.dropped_classes}};
  base::write_file_atomically(folder / data::kDatasetFile, json.dump(2) + "\n");
}

Dataset open(const fs::path& folder) {
  Dataset dataset;
  const fs::path file = folder / data::kDatasetFile;
  try {
    const auto json = nlohmann::json::parse(base::read_file(file));
    dataset.labels = json.at("labels").get<std::vector<std::string>>();
    dataset.dropped_rows = json.at("dropped_rows").get<std::int64_t>();
    dataset.dropped_classes = json.at("dropped_classes").get<std::int64_t>();
  } catch (const nlohmann::json::exception&) {
    throw std::invalid_argument(file.string() + ": is damaged; delete the folder " +
                                folder.string() + ", so that it is made again");
  }
  dataset.tokenizer = text::load_tokenizer(folder / kTokenizerFolder);
  dataset.train = PartWriter::open(folder, "train");
  dataset.validation = PartWriter::open(folder, "validation");
  dataset.test = PartWriter::open(folder, "test");
  return dataset;
}

data::CacheKey key_of(const DataConfig& config, const text::TokenizerConfig& text_config) {
  data::CacheKey key;
  key.add(std::int64_t{kFormatVersion});
  DataConfig data = config;
  data.cache.clear();  // where the cache lies changes nothing in it
  key.add_config(data);
  key.add_config(text_config);
  for (const auto* sources : {&config.train, &config.validation, &config.test}) {
    for (const auto& source : *sources) key.add_source(source);
  }
  if (!text_config.model_file.empty()) key.add_source(text_config.model_file);
  return key;
}

std::vector<std::int64_t> class_counts(const LabelledCorpus& corpus, std::size_t classes) {
  std::vector<std::int64_t> counts(classes);
  for (std::int64_t row = 0; row < corpus.size(); ++row) {
    ++counts.at(static_cast<std::size_t>(corpus.label(row)));
  }
  return counts;
}

}  // namespace

Dataset prepare(const DataConfig& config, const text::TokenizerConfig& text_config,
                const fs::path& cache_folder, const data::Notice& notice) {
  config.validate();
  text_config.validate();
  if (config.train.empty()) {
    throw std::invalid_argument("data.train is empty; name the files with the training examples");
  }
  if (has_columns(config.format) && config.label_column.empty()) {
    throw std::invalid_argument("data.label_column is empty; name the column that holds the label");
  }
  std::optional<Dataset> built;
  const auto folder = data::prepared_folder(
      cache_folder, key_of(config, text_config),
      [&](const fs::path& fresh) {
        built = build(file_sources(config), config, text_config, fresh);
        save(*built, fresh);
      },
      notice);
  return built ? std::move(*built) : open(folder);
}

Dataset prepare(std::span<const Example> examples, const DataConfig& config,
                const text::TokenizerConfig& text_config) {
  text_config.validate();
  const auto source = [examples](const std::function<void(Example&)>& visit) {
    for (std::size_t i = 0; i < examples.size(); ++i) {
      Example example = examples[i];
      if (example.where.empty()) example.where = "example " + std::to_string(i + 1);
      visit(example);
    }
  };
  if (examples.empty()) throw std::invalid_argument("there are no examples to train on");
  const ExampleSource none = [](const auto&) {};
  return build({.name = "the examples", .train = source, .validation = none, .test = none}, config,
               text_config, {});
}

void for_each_labelled_piece(const DataConfig& config, const std::vector<std::string>& files,
                             const text::Tokenizer& tokenizer,
                             const std::vector<std::string>& labels,
                             const std::function<void(const LabelledCorpus&)>& use) {
  config.validate();
  std::unordered_map<std::string, std::int32_t> ids;
  for (const auto& label : labels) ids.emplace(label, static_cast<std::int32_t>(ids.size()));
  auto writer = std::make_unique<PartWriter>();
  auto encoder = std::make_unique<Encoder>(tokenizer, config.max_tokens);
  std::int64_t record = 0;
  const auto finish = [&] {
    encoder->finish();
    use(writer->finish());
    writer = std::make_unique<PartWriter>();
    encoder = std::make_unique<Encoder>(tokenizer, config.max_tokens);
  };
  for_each_example(config, files, [&](Example& example) {
    check_label(example);
    const auto found = ids.find(example.label);
    if (found == ids.end()) {
      throw std::invalid_argument(example.where + ": the label '" + base::excerpt(example.label) +
                                  "' is unknown to the model, which knows " + list_labels(labels));
    }
    encoder->add({std::move(example.text), found->second, record++, writer.get()});
    if (writer->tokens() >= kPieceTokens) finish();
  });
  finish();
}

std::string Dataset::summary() const {
  const std::array parts = {data::LengthSummary(train.texts), data::LengthSummary(validation.texts),
                            data::LengthSummary(test.texts)};
  const std::array classes = {class_counts(train, labels.size()),
                              class_counts(validation, labels.size()),
                              class_counts(test, labels.size())};
  const std::size_t shown = std::min(labels.size(), kShownClasses);
  std::size_t width = 16;
  for (std::size_t i = 0; i < shown; ++i) width = std::max(width, data::display_width(labels[i]));

  data::SummaryTable table(width);
  table.row("", "train", "validation", "test");
  table.row("documents", train.size(), validation.size(), test.size());
  for (std::size_t i = 0; i < shown; ++i) {
    table.row(labels[i], classes[0][i], classes[1][i], classes[2][i]);
  }
  if (shown < labels.size()) {
    table.line("and " + std::to_string(labels.size() - shown) + " more classes");
  }
  table.lengths("", parts);
  table.row("empty", train.texts.empty(), validation.texts.empty(), test.texts.empty());
  if (dropped_classes > 0) {
    table.line("dropped: " + std::to_string(dropped_rows) + " documents of " +
               std::to_string(dropped_classes) + " rare classes");
  }
  return table.text();
}

}  // namespace fastformer::classification

#include "fastformer/classification/dataset.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <stdexcept>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/printable.h"
#include "fastformer/classification/dataset_notices.h"
#include "fastformer/classification/dataset_scan.h"
#include "fastformer/classification/part_writer.h"
#include "fastformer/data/cache.h"
#include "fastformer/data/summary_table.h"

namespace fastformer::classification {
namespace {

namespace fs = std::filesystem;

constexpr int kFormatVersion = 7;
constexpr const char* kUnlabelledPart = "unlabelled";
constexpr const char* kTokenizerFolder = "tokenizer";
constexpr std::size_t kShownClasses = 50;
constexpr std::int64_t kPieceTokens = std::int64_t{1} << 22;

// Linear members take no part where they would hold more weights or solve more problems than this.
constexpr std::int64_t kMaximumLinearWeights = std::int64_t{1} << 27;
constexpr std::int64_t kMaximumLinearClasses = 200, kMaximumLinearLabels = 1000;
// Sequences of characters are many: by default they are for training texts of at most so many
// bytes.
constexpr std::size_t kCharactersUpTo = std::size_t{24} << 20;

void write_parts(const ExampleSources& sources, const DataConfig& config, const DatasetScan& found,
                 const linear::NgramTable* ngrams, const fs::path& folder, Dataset& dataset) {
  PartWriter train(folder, "train"), validation(folder, "validation"), test(folder, "test"),
      unlabelled(folder, kUnlabelledPart);
  DocumentEncoder encoder(*dataset.tokenizer, config.max_tokens, ngrams);
  TextOverlap overlap;
  std::int64_t record = 0;
  const auto add = [&](Example& example, data::Part part) {
    auto& writer = part == data::Part::kValidation ? validation
                   : part == data::Part::kTest     ? test
                                                   : train;
    if (auto ids = found.ids_of(example)) {
      overlap.add(example.text, part);
      encoder.add({std::move(example.text), std::move(*ids), record, &writer});
    }
    ++record;
  };
  found.for_each_training_row(sources, add);
  for (const auto part : {data::Part::kValidation, data::Part::kTest}) {
    record = 0;
    const auto& source = part == data::Part::kTest ? sources.test : sources.validation;
    source([&](Example& example) { add(example, part); });
  }
  record = 0;
  sources.unlabelled(
      [&](Example& example) { encoder.add({std::move(example.text), {}, record++, &unlabelled}); });
  encoder.finish();
  dataset.notices = overlap.notices();
  dataset.train = train.finish();
  dataset.validation = validation.finish();
  dataset.test = test.finish();
  dataset.unlabelled = unlabelled.finish();
}

std::optional<linear::NgramTable> learn_ngrams(const linear::LinearConfig& config,
                                               const text::TokenizerConfig& text_config,
                                               const text::TextSource& texts, std::int64_t classes,
                                               bool several) {
  const auto most = several ? kMaximumLinearLabels : kMaximumLinearClasses;
  if (!config.enabled() || classes > most) return std::nullopt;
  linear::NgramConfig ngrams{.words = config.words};
  if (config.characters == linear::LinearConfig::kAutomatic) {
    std::size_t bytes = 0;
    texts([&](std::string_view text) { bytes += text.size(); });
    if (bytes > kCharactersUpTo) ngrams.characters = 0;
  } else {
    ngrams.characters = config.characters;
  }
  return linear::NgramTable::learn(ngrams, text_config, texts)
      .most_frequent(kMaximumLinearWeights / classes);
}

// An empty folder: in memory. `start` may be null.
Dataset build(const ExampleSources& sources, const DataConfig& config,
              const text::TokenizerConfig& text_config, const linear::LinearConfig& linear_config,
              const StartingPoint* start, const fs::path& folder) {
  DatasetScan found =
      scan(sources, config, start != nullptr ? start->labels : std::vector<std::string>());
  Dataset dataset;
  const auto classes = std::ssize(found.labels);
  const bool several = found.several_labels;
  const text::TextSource texts = [&](const std::function<void(std::string_view)>& use_text) {
    found.for_each_training_row(sources, [&](Example& example, data::Part part) {
      if (part == data::Part::kTrain) use_text(example.text);
    });
  };
  const text::TextSource all_texts = [&](const std::function<void(std::string_view)>& use_text) {
    texts(use_text);
    sources.unlabelled([&](Example& example) { use_text(example.text); });
  };
  dataset.tokenizer = start != nullptr
                          ? text::extend_tokenizer(start->directory, text_config, all_texts)
                          : text::make_tokenizer(text_config, all_texts);
  auto ngrams = learn_ngrams(linear_config, text_config, texts, classes, several);
  write_parts(sources, config, found, ngrams ? &*ngrams : nullptr, folder, dataset);
  if (ngrams && ngrams->size() > 0) {
    const auto rows = linear_rows({&dataset.train}, classes, several);
    if (rows.size() < dataset.train.size()) {
      dataset.notices.push_back("the linear members learn from " + std::to_string(rows.size()) +
                                " of the " + std::to_string(dataset.train.size()) +
                                " training texts, to limit their memory");
    }
    dataset.linear = linear::LinearPart::with_equal_weights(std::make_shared<linear::LinearModel>(
        linear::LinearModel::fit(rows, linear_rows({&dataset.validation}, classes, several),
                                 std::move(*ngrams), linear_config)));
  }
  dataset.labels = std::move(found.labels);
  dataset.several_labels = several;
  dataset.dropped_rows = found.dropped_rows;
  dataset.dropped_classes = found.dropped_classes;
  if (sources.notices) {  // those of the unlabelled files, which the scan did not read
    for (const auto& notice : *sources.notices) {
      if (std::ranges::find(found.notices, notice) == found.notices.end()) {
        found.notices.push_back(notice);
      }
    }
  }
  dataset.notices.insert(dataset.notices.begin(), found.notices.begin(), found.notices.end());
  for (auto& notice : part_notices(config, dataset)) dataset.notices.push_back(std::move(notice));
  for (auto& notice : token_notices(dataset)) dataset.notices.push_back(std::move(notice));
  return dataset;
}

void save(const Dataset& dataset, const fs::path& folder) {
  base::create_folder(folder / kTokenizerFolder);
  dataset.tokenizer->save(folder / kTokenizerFolder);
  const nlohmann::ordered_json json = {{"version", kFormatVersion},
                                       {"labels", dataset.labels},
                                       {"several_labels", dataset.several_labels},
                                       {"dropped_rows", dataset.dropped_rows},
                                       {"dropped_classes", dataset.dropped_classes},
                                       {"notices", dataset.notices}};
  if (dataset.linear) dataset.linear->save(folder / linear::kLinearFile);
  base::write_file_atomically(
      folder / data::kDatasetFile,
      json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

Dataset open(const fs::path& folder) {
  Dataset dataset;
  const fs::path file = folder / data::kDatasetFile;
  try {
    const auto json = nlohmann::json::parse(base::read_small_file(file));
    dataset.labels = json.at("labels").get<std::vector<std::string>>();
    dataset.several_labels = json.at("several_labels").get<bool>();
    dataset.dropped_rows = json.at("dropped_rows").get<std::int64_t>();
    dataset.dropped_classes = json.at("dropped_classes").get<std::int64_t>();
    dataset.notices = json.at("notices").get<std::vector<std::string>>();
  } catch (const nlohmann::json::exception&) {
    throw std::invalid_argument(file.string() + ": is damaged; delete the folder " +
                                folder.string() + " to prepare the data again");
  }
  dataset.tokenizer = text::load_tokenizer(folder / kTokenizerFolder);
  if (fs::exists(folder / linear::kLinearFile)) {
    dataset.linear =
        linear::LinearPart::load(folder / linear::kLinearFile, std::ssize(dataset.labels));
  }
  dataset.train = PartWriter::open(folder, "train", dataset);
  dataset.validation = PartWriter::open(folder, "validation", dataset);
  dataset.test = PartWriter::open(folder, "test", dataset);
  dataset.unlabelled = PartWriter::open(folder, kUnlabelledPart, dataset, /*labelled=*/false);
  return dataset;
}

data::CacheKey key_of(const DataConfig& config, const text::TokenizerConfig& text_config,
                      const linear::LinearConfig& linear_config, const StartingPoint* start) {
  data::CacheKey key;
  key.add(std::int64_t{kFormatVersion});
  DataConfig data = config;
  data.cache.clear();  // the location of the cache does not change its content
  key.add_config(data);
  key.add_config(text_config);
  key.add_config(linear_config);
  for (const auto* sources :
       {&config.train, &config.validation, &config.test, &config.unlabelled}) {
    for (const auto& source : *sources) key.add_source(source);
  }
  if (!text_config.model_file.empty()) key.add_source(text_config.model_file);
  if (start != nullptr) {
    const auto tokenizer = text::load_tokenizer(start->directory);
    key.add(static_cast<std::int64_t>(tokenizer->checksum()));
    for (const auto& label : start->labels) key.add(label);
  }
  return key;
}

}  // namespace

std::vector<std::int32_t> LabelledCorpus::all_labels() const {
  std::vector<std::int32_t> all;
  for (std::int64_t row = 0; row < size(); ++row) all.push_back(label(row));
  return all;
}

linear::Targets LabelledCorpus::targets(std::int64_t classes, bool several) const {
  linear::Targets targets{.classes = classes, .several = several};
  for (std::int64_t row = 0; row < size(); ++row) targets.add(labels.tokens(row));
  return targets;
}

linear::LabelledRows linear_rows(std::initializer_list<const LabelledCorpus*> parts,
                                 std::int64_t classes, bool several, std::int64_t most_ngrams) {
  linear::LabelledRows rows{.columns = {}, .targets = {.classes = classes, .several = several}};
  std::int64_t ngrams = 0;
  for (const auto* part : parts) ngrams += part->ngrams.total_tokens();
  const auto step = (ngrams - 1) / most_ngrams + 1;
  for (const auto* part : parts) {
    for (std::int64_t row = 0; row < part->ngrams.size(); row += step) {
      const auto columns = part->ngrams.tokens(row);
      auto& sorted = rows.columns.emplace_back(columns.begin(), columns.end());
      std::sort(sorted.begin(), sorted.end());
      rows.targets.add(part->labels.tokens(row));
    }
  }
  return rows;
}

std::vector<std::int64_t> LabelledCorpus::class_counts(std::size_t classes) const {
  std::vector<std::int64_t> counts(classes);
  for (std::int64_t row = 0; row < size(); ++row) {
    for (const auto label : labels.tokens(row)) ++counts.at(static_cast<std::size_t>(label));
  }
  return counts;
}

Dataset prepare(const DataConfig& config, const text::TokenizerConfig& text_config,
                const linear::LinearConfig& linear_config, const fs::path& cache_folder,
                const data::Notice& notice, const StartingPoint* start) {
  config.validate();
  text_config.validate();
  linear_config.validate();
  if (config.train.empty()) {
    throw std::invalid_argument("data.train is empty; list the files with the training examples");
  }
  if (has_columns(config.format) && config.label_column.empty() && config.label_columns.empty()) {
    throw std::invalid_argument(
        "data.label_column is empty; set it to the column that contains the label");
  }
  std::optional<Dataset> built;
  const auto folder = data::prepared_folder(
      cache_folder, key_of(config, text_config, linear_config, start),
      [&](const fs::path& fresh) {
        built = build(file_sources(config), config, text_config, linear_config, start, fresh);
        save(*built, fresh);
      },
      notice);
  return built ? std::move(*built) : open(folder);
}

Dataset prepare(std::span<const Example> examples, const DataConfig& config,
                const text::TokenizerConfig& text_config, const linear::LinearConfig& linear_config,
                const StartingPoint* start) {
  text_config.validate();
  linear_config.validate();
  const bool several = config.several_labels();
  const auto source = [examples, several](const std::function<void(Example&)>& visit) {
    for (std::size_t i = 0; i < examples.size(); ++i) {
      Example example = examples[i];
      if (example.where.empty()) example.where = "example " + std::to_string(i + 1);
      if (!several && !example.labels.empty()) {
        throw std::invalid_argument(example.where +
                                    ": has a list of labels; set data.multi_label = true");
      }
      normalize_labels(example, several);
      visit(example);
    }
  };
  if (examples.empty()) throw std::invalid_argument("there are no examples to train on");
  const ExampleSource none = [](const auto&) {};
  return build({.name = "the examples",
                .train = source,
                .validation = none,
                .test = none,
                .unlabelled = none},
               config, text_config, linear_config, start, {});
}

void for_each_labelled_piece(const DataConfig& config, const std::vector<std::string>& files,
                             const text::Tokenizer& tokenizer, const linear::NgramTable* ngrams,
                             const std::vector<std::string>& labels,
                             const std::function<void(const LabelledCorpus&)>& use,
                             std::vector<std::string>* notices) {
  config.validate();
  std::unordered_map<std::string, std::int32_t> ids;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    ids.emplace(normalized_label(labels[i]), static_cast<std::int32_t>(i));
  }
  const bool several = config.several_labels();
  std::set<std::string> unknown;
  const auto ids_of = [&](const Example& example) {
    check_labels(example, several);
    std::vector<std::int32_t> own;
    const auto add = [&](const std::string& label) {
      const auto found = ids.find(label);
      if (found != ids.end()) {
        own.push_back(found->second);
      } else if (several) {
        unknown.insert(label);
      } else {
        throw std::invalid_argument(example.where + ": the label '" + base::excerpt(label) +
                                    "' is unknown to the model, whose labels are " +
                                    list_labels(labels));
      }
    };
    if (!several) add(example.label);
    for (const auto& label : example.labels) add(label);
    std::sort(own.begin(), own.end());
    return own;
  };
  auto writer = std::make_unique<PartWriter>();
  auto encoder = std::make_unique<DocumentEncoder>(tokenizer, config.max_tokens, ngrams);
  std::int64_t record = 0;
  const auto finish = [&] {
    encoder->finish();
    use(writer->finish());
    writer = std::make_unique<PartWriter>();
    encoder = std::make_unique<DocumentEncoder>(tokenizer, config.max_tokens, ngrams);
  };
  for_each_example(
      config, files,
      [&](Example& example) {
        auto own = ids_of(example);
        encoder->add({std::move(example.text), std::move(own), record++, writer.get()});
        if (writer->tokens() >= kPieceTokens) finish();
      },
      notices);
  finish();
  if (notices != nullptr && !unknown.empty()) {
    notices->push_back("the model does not know these labels, which are ignored: " +
                       list_labels({unknown.begin(), unknown.end()}));
  }
}

std::string Dataset::summary() const {
  const std::array parts = {data::LengthSummary(train.texts), data::LengthSummary(validation.texts),
                            data::LengthSummary(test.texts)};
  const std::array classes = {train.class_counts(labels.size()),
                              validation.class_counts(labels.size()),
                              test.class_counts(labels.size())};
  const std::size_t shown = std::min(labels.size(), kShownClasses);
  std::size_t width = 16;
  for (std::size_t i = 0; i < shown; ++i) width = std::max(width, text::display_width(labels[i]));

  data::SummaryTable table(width);
  table.row("", "train", "validation", "test");
  table.row("documents", train.size(), validation.size(), test.size());
  if (unlabelled.size() > 0) table.row("without labels", unlabelled.size(), "", "");
  for (std::size_t i = 0; i < shown; ++i) {
    table.row(labels[i], classes[0][i], classes[1][i], classes[2][i]);
  }
  if (shown < labels.size()) {
    table.line("and " + std::to_string(labels.size() - shown) +
               (several_labels ? " more labels" : " more classes"));
  }
  table.lengths("", parts);
  table.row("empty", train.texts.empty(), validation.texts.empty(), test.texts.empty());
  if (dropped_classes > 0 && several_labels) {
    table.line("dropped: " + std::to_string(dropped_classes) + " rare labels");
  } else if (dropped_classes > 0) {
    table.line("dropped: " + std::to_string(dropped_rows) + " documents of " +
               std::to_string(dropped_classes) + " rare classes");
  }
  return table.text();
}

}  // namespace fastformer::classification

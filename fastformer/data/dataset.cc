#include "fastformer/data/dataset.h"

#include <stdexcept>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "fastformer/base/atomic_file.h"
#include "fastformer/data/dataset_cache.h"
#include "fastformer/data/dataset_scan.h"
#include "fastformer/data/reader.h"
#include "fastformer/data/tokenize.h"

namespace fastformer::data {
namespace {

namespace fs = std::filesystem;

bool reads_columns(const DataConfig& config) {
  return config.format == "csv" || config.format == "tsv" || config.format == "jsonl";
}

void check_ready(const DataConfig& config, const text::TokenizerConfig& text_config) {
  config.validate();
  text_config.validate();
  if (config.train.empty()) {
    throw std::invalid_argument("data.train is empty; name the files with the training examples");
  }
  if (reads_columns(config) && config.label_column.empty()) {
    throw std::invalid_argument("data.label_column is empty; name the column that holds the label");
  }
}

[[noreturn]] void throw_changed() {
  throw std::runtime_error("the training files changed while they were read; start again");
}

// Calls `visit` with each training example and its part.
void for_each_training_row(const DataConfig& config, const DatasetScan& scan,
                           const std::function<void(Example&, Part)>& visit) {
  std::size_t row = 0;
  for_each_example(config, config.train, [&](Example& example) {
    if (row == scan.parts.size()) throw_changed();
    visit(example, scan.parts[row++]);
  });
  if (row != scan.parts.size()) throw_changed();
}

std::unique_ptr<text::Tokenizer> train_tokenizer(const DataConfig& config,
                                                 const text::TokenizerConfig& text_config,
                                                 const DatasetScan& scan) {
  return text::make_tokenizer(
      text_config, [&](const std::function<void(std::string_view)>& use_text) {
        for_each_training_row(config, scan, [&](Example& example, Part part) {
          if (part == Part::kTrain) use_text(example.text);
        });
      });
}

std::int32_t label_id(const DatasetScan& scan, const Example& example) {
  const auto found = scan.label_ids.find(example.label);
  if (found == scan.label_ids.end()) throw_changed();
  return found->second;
}

void write_tokens(const DataConfig& config, const DatasetScan& scan,
                  const text::Tokenizer& tokenizer, const fs::path& folder) {
  TokenSetWriter train(folder / kTrainTokens);
  TokenSetWriter validation(folder / kValidationTokens);
  TokenSetWriter test(folder / kTestTokens);
  DocumentEncoder encoder(tokenizer, config.max_tokens);
  const auto add = [&](Example& example, TokenSetWriter& writer) {
    const std::int32_t label = label_id(scan, example);
    if (label >= 0) encoder.add(std::move(example.text), label, writer);
  };
  for_each_training_row(config, scan, [&](Example& example, Part part) {
    if (part == Part::kTrain) add(example, train);
    if (part == Part::kValidation) add(example, validation);
    if (part == Part::kTest) add(example, test);
  });
  for_each_example(config, config.validation, [&](Example& e) { add(e, validation); });
  for_each_example(config.for_test(), config.test, [&](Example& e) { add(e, test); });
  encoder.finish();
  train.finish();
  validation.finish();
  test.finish();
}

void build(const DataConfig& config, const text::TokenizerConfig& text_config,
           const fs::path& folder) {
  Dataset dataset;
  DatasetScan scan = scan_sources(config);
  FolderInTheMaking making(folder);
  const auto tokenizer = train_tokenizer(config, text_config, scan);
  base::create_folder(making.path() / kTokenizerFolder);
  tokenizer->save(making.path() / kTokenizerFolder);
  write_tokens(config, scan, *tokenizer, making.path());
  dataset.labels = std::move(scan.labels);
  dataset.dropped_rows = scan.dropped_rows;
  dataset.dropped_classes = scan.dropped_classes;
  write_dataset_file(making.path(), dataset);
  making.finish();
}

}  // namespace

Dataset prepare(const DataConfig& config, const text::TokenizerConfig& text_config,
                const fs::path& cache_folder) {
  check_ready(config, text_config);
  const fs::path folder = cache_folder / cache_key(config, text_config);
  if (!fs::exists(folder / kDatasetFile)) build(config, text_config, folder);
  return open_dataset(folder);
}

TokenSet tokenize_for_evaluation(const DataConfig& config, const std::vector<fs::path>& files,
                                 const text::Tokenizer& tokenizer,
                                 const std::vector<std::string>& labels,
                                 const fs::path& cache_file) {
  config.validate();
  const bool labelled = !reads_columns(config) || !config.label_column.empty();
  std::unordered_map<std::string, std::int32_t> ids;
  for (const auto& label : labels) ids.emplace(label, static_cast<std::int32_t>(ids.size()));
  TokenSetWriter writer(cache_file);
  DocumentEncoder encoder(tokenizer, config.max_tokens);
  const auto label_of = [&](const Example& example) {
    if (!labelled) return std::int32_t{-1};
    check_label(example);
    const auto found = ids.find(example.label);
    if (found == ids.end()) {
      throw std::invalid_argument(example.where + ": the label '" + example.label +
                                  "' is unknown to the model, which knows " + list_labels(labels));
    }
    return found->second;
  };
  const std::vector<std::string> names(files.begin(), files.end());
  for_each_example(config, names, [&](Example& example) {
    const std::int32_t label = label_of(example);
    encoder.add(std::move(example.text), label, writer);
  });
  encoder.finish();
  writer.finish();
  return TokenSet::open(cache_file);
}

}  // namespace fastformer::data

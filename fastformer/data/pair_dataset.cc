#include "fastformer/data/pair_dataset.h"

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "fastformer/base/atomic_file.h"
#include "fastformer/data/dataset_cache.h"
#include "fastformer/data/pair_dataset_cache.h"
#include "fastformer/data/pair_encoder.h"
#include "fastformer/data/splits.h"
#include "fastformer/data/summary_table.h"

namespace fastformer::data {
namespace {

namespace fs = std::filesystem;

// Part::kDropped: the pair lacks a side.
std::vector<Part> divide_training_pairs(const PairDataConfig& config) {
  std::vector<SplitRow> rows;
  for_each_pair(config, config.train, [&](TextPair& pair) {
    const auto row = static_cast<std::int64_t>(rows.size());
    rows.push_back({group_key(pair.source, row), pair.empty() ? -1 : 0});
  });
  return assign_parts(rows, {.validation_fraction = config.validation_fraction,
                             .stratify = false,
                             .seed = static_cast<std::uint64_t>(config.split_seed)});
}

[[noreturn]] void throw_changed() {
  throw std::runtime_error("the training files changed while they were read; start again");
}

void for_each_training_pair(const PairDataConfig& config, const std::vector<Part>& parts,
                            const std::function<void(TextPair&, std::size_t)>& visit) {
  std::size_t row = 0;
  for_each_pair(config, config.train, [&](TextPair& pair) {
    if (row == parts.size()) throw_changed();
    visit(pair, row++);
  });
  if (row != parts.size()) throw_changed();
}

std::unique_ptr<text::Tokenizer> train_tokenizer(const PairDataConfig& config,
                                                 const text::TokenizerConfig& text_config,
                                                 const std::vector<Part>& parts) {
  return text::make_tokenizer(
      text_config, [&](const std::function<void(std::string_view)>& use_text) {
        for_each_training_pair(config, parts, [&](TextPair& pair, std::size_t row) {
          if (parts[row] != Part::kTrain) return;
          use_text(pair.source);
          use_text(pair.target);
        });
      });
}

void check_any_left(const std::string& entry, std::int64_t left, const PairCounts& dropped) {
  if (left > 0) return;
  throw std::invalid_argument(
      entry + ": no pair is left, " + std::to_string(dropped.empty) +
      " lack a document or a summary and " + std::to_string(dropped.too_short) +
      " are shorter than data.min_source_tokens or min_target_tokens; check the files and the "
      "minimums");
}

void add_pairs(const PairDataConfig& config, const std::vector<std::string>& entries,
               PairEncoder& encoder, PairWriter& writer) {
  std::int32_t number = 0;
  for_each_pair(config, entries,
                [&](TextPair& pair) { encoder.add(std::move(pair), number++, writer); });
}

void write_tokens(const PairDataConfig& config, const std::vector<Part>& parts,
                  const fs::path& folder, PairDataset& dataset) {
  PairWriter train(folder, kTrainPart), validation(folder, kValidationPart),
      test(folder, kTestPart);
  PairEncoder encoder(*dataset.tokenizer, config);
  for_each_training_pair(config, parts, [&](TextPair& pair, std::size_t row) {
    encoder.add(std::move(pair), static_cast<std::int32_t>(row),
                parts[row] == Part::kValidation ? validation : train);
  });
  add_pairs(config, config.validation, encoder, validation);
  add_pairs(config, config.test, encoder, test);
  encoder.finish();
  check_any_left(config.train.front(), train.size(), train.dropped);
  for (auto* writer : {&train, &validation, &test}) writer->finish();
  dataset.train_dropped = train.dropped;
  dataset.validation_dropped = validation.dropped;
  dataset.test_dropped = test.dropped;
}

void build(const PairDataConfig& config, const text::TokenizerConfig& text_config,
           const fs::path& folder) {
  const auto parts = divide_training_pairs(config);
  check_any_left(config.train.front(), std::count(parts.begin(), parts.end(), Part::kTrain),
                 {.empty = std::count(parts.begin(), parts.end(), Part::kDropped)});
  FolderInTheMaking making(folder);
  PairDataset dataset;
  dataset.tokenizer = train_tokenizer(config, text_config, parts);
  base::create_folder(making.path() / kTokenizerFolder);
  dataset.tokenizer->save(making.path() / kTokenizerFolder);
  write_tokens(config, parts, making.path(), dataset);
  write_dataset_file(making.path(), dataset);
  making.finish();
}

}  // namespace

PairDataset prepare_pairs(const PairDataConfig& config, const text::TokenizerConfig& text_config,
                          const fs::path& cache_folder) {
  config.validate();
  text_config.validate();
  if (config.train.empty()) {
    throw std::invalid_argument("data.train is empty; name the files with the training pairs");
  }
  const fs::path folder = cache_folder / cache_key(config, text_config);
  if (!fs::exists(folder / kDatasetFile)) build(config, text_config, folder);
  return open_pair_dataset(folder);
}

PairSet tokenize_for_evaluation(const PairDataConfig& config,
                                const std::vector<std::string>& entries,
                                const text::Tokenizer& tokenizer, const fs::path& folder) {
  config.validate();
  PairWriter writer(folder, kTestPart);
  PairEncoder encoder(tokenizer, config);
  add_pairs(config, entries, encoder, writer);
  encoder.finish();
  check_any_left(entries.front(), writer.size(), writer.dropped);
  writer.finish();
  return PairSet::open(folder, kTestPart);
}

std::vector<TextPair> read_texts(const PairDataConfig& config,
                                 const std::vector<std::string>& entries, const PairSet& set) {
  std::vector<TextPair> texts;
  std::int32_t number = 0;
  for_each_pair(config, entries, [&](TextPair& pair) {
    const auto row = static_cast<std::int64_t>(texts.size());
    if (row < set.size() && set.source.label(row) == number) texts.push_back(std::move(pair));
    ++number;
  });
  if (static_cast<std::int64_t>(texts.size()) != set.size()) {
    throw std::invalid_argument("the files of the pairs hold " + std::to_string(number) +
                                " pairs, fewer than when they were prepared; prepare them again");
  }
  return texts;
}

std::string PairDataset::summary() const {
  SummaryTable table(24);
  table.row("", kTrainPart, kValidationPart, kTestPart);
  table.row("pairs", train.size(), validation.size(), test.size());
  table.lengths("document ", {LengthSummary(train.source), LengthSummary(validation.source),
                              LengthSummary(test.source)});
  table.lengths("summary ", {LengthSummary(train.target), LengthSummary(validation.target),
                             LengthSummary(test.target)});
  table.row("left out, empty", train_dropped.empty, validation_dropped.empty, test_dropped.empty);
  table.row("left out, too short", train_dropped.too_short, validation_dropped.too_short,
            test_dropped.too_short);
  return table.text();
}

}  // namespace fastformer::data

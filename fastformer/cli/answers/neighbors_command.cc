#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "fastformer/base/format.h"
#include "fastformer/base/json_text.h"
#include "fastformer/base/model_directory.h"
#include "fastformer/classification/classifier.h"
#include "fastformer/classification/classifier_model.h"
#include "fastformer/cli/answers/prediction_output.h"
#include "fastformer/cli/commands.h"
#include "fastformer/cli/model_options.h"
#include "fastformer/cli/terminal_output.h"
#include "fastformer/data/line_stream.h"
#include "fastformer/data/vector_file.h"
#include "fastformer/kernels/nearest_rows.h"
#include "fastformer/kernels/parallel.h"
#include "fastformer/recommendation/recommender.h"

namespace fastformer::cli {
namespace {

using Json = nlohmann::ordered_json;
using Found = std::vector<std::vector<kernels::Neighbor>>;

struct NeighborsFlags {
  std::filesystem::path vectors, queries, model, texts, output_file;
  std::vector<std::size_t> rows;  ///< from 1
  std::vector<std::string> query_texts;
  std::size_t top = 10;
  OutputFormat format = OutputFormat::kTsv;
  Options options;
};

// Writes the neighbors of queries, which are numbered from 1.
class NeighborOutput {
 public:
  NeighborOutput(std::ostream& out, OutputFormat format, const data::NamedVectors& known)
      : out_(out), format_(format), known_(known) {}

  void write(std::size_t query, const std::vector<kernels::Neighbor>& found) {
    if (format_ == OutputFormat::kJsonl) return write_json(query, found);
    if (format_ == OutputFormat::kCsv && !headed_) write_heading();
    for (const auto& [row, similarity] : found) {
      std::vector<std::string> cells = {std::to_string(query), std::to_string(row + 1),
                                        base::format("%.4f", similarity)};
      if (!known_.ids.empty()) cells.push_back(known_.ids[row]);
      if (!known_.texts.empty()) cells.push_back(known_.texts[row]);
      write_cells(out_, format_, cells);
    }
  }

 private:
  void write_heading() {
    headed_ = true;
    std::vector<std::string> names = {"query", "row", "similarity"};
    if (!known_.ids.empty()) names.emplace_back("id");
    if (!known_.texts.empty()) names.emplace_back("text");
    write_cells(out_, format_, names);
  }

  void write_json(std::size_t query, const std::vector<kernels::Neighbor>& found) {
    Json json = {{"query", query}, {"neighbors", Json::array()}};
    for (const auto& [row, similarity] : found) {
      Json one = {{"row", row + 1}, {"similarity", similarity}};
      if (!known_.ids.empty()) one["id"] = known_.ids[row];
      if (!known_.texts.empty()) one["text"] = known_.texts[row];
      json["neighbors"].push_back(std::move(one));
    }
    out_ << base::json_text(json) << '\n';
  }

  std::ostream& out_;
  OutputFormat format_;
  const data::NamedVectors& known_;
  bool headed_ = false;
};

// What a model makes of texts.
Vectors embed(const NeighborsFlags& flags) {
  check_model_for("embed", flags.model);
  if (base::kind_of_model(flags.model) == model::kClassifierKind) {
    return Classifier::load(flags.model, flags.options).embed(flags.query_texts);
  }
  return Recommender::load(flags.model, flags.options).embed(flags.query_texts);
}

// One line for each row.
std::vector<std::string> read_texts(const std::filesystem::path& file, std::size_t rows) {
  data::LineStream lines(file);
  std::vector<std::string> texts;
  for (std::string line; lines.next(line);) texts.push_back(line);
  if (texts.size() == rows) return texts;
  throw std::invalid_argument(
      base::format("%s: has %zu lines, but there are %zu vectors; give one "
                   "line per vector",
                   file.c_str(), texts.size(), rows));
}

void check(const NeighborsFlags& flags) {
  const int kinds = (flags.queries.empty() ? 0 : 1) + (flags.rows.empty() ? 0 : 1) +
                    (flags.query_texts.empty() ? 0 : 1);
  if (kinds != 1) {
    throw std::invalid_argument(
        "name the queries in one way: a second file of vectors, --row numbers, or --text with "
        "--model");
  }
}

// A message that says which file is meant.
template <class Action>
auto naming(const std::filesystem::path& file, const Action& action) {
  try {
    return action();
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(file.string() + ": " + error.what());
  }
}

void search(const NeighborsFlags& flags, const kernels::NearestRows& index,
            NeighborOutput& output) {
  const kernels::ComputeScope scope(kernels::Precision::kFp32, flags.options.threads);
  if (!flags.rows.empty()) {
    std::vector<std::size_t> rows;
    for (const auto row : flags.rows) rows.push_back(row - 1);
    const auto found = naming(flags.vectors, [&] { return index.search_rows(rows, flags.top); });
    for (std::size_t i = 0; i < rows.size(); ++i) output.write(flags.rows[i], found[i]);
    return;
  }
  const bool by_text = flags.queries.empty();
  const auto queries = by_text ? embed(flags) : data::read_vectors(flags.queries).vectors;
  const auto& source = by_text ? flags.model : flags.queries;
  // Results are written before the next queries are searched, so that memory stays bounded.
  constexpr std::size_t kBatch = 4096;
  for (std::size_t first = 0; first < queries.rows(); first += kBatch) {
    const auto count = std::min(kBatch, queries.rows() - first);
    const auto begin = queries.values.begin() + static_cast<std::ptrdiff_t>(first * queries.width);
    Vectors batch{queries.width,
                  {begin, begin + static_cast<std::ptrdiff_t>(count * queries.width)}};
    const auto found = naming(source, [&] { return index.search(std::move(batch), flags.top); });
    for (std::size_t i = 0; i < count; ++i) output.write(first + i + 1, found[i]);
  }
}

void neighbors(const NeighborsFlags& flags) {
  check(flags);
  auto known = data::read_vectors(flags.vectors);
  if (!flags.texts.empty()) known.texts = read_texts(flags.texts, known.vectors.rows());
  const auto index =
      naming(flags.vectors, [&] { return kernels::NearestRows(std::move(known.vectors)); });
  const auto run = [&](std::ostream& out) {
    NeighborOutput output(out, flags.format, known);
    search(flags, index, output);
  };
  write_output(flags.output_file, run);
}

}  // namespace

void add_neighbors_command(CLI::App& app) {
  const auto flags = std::make_shared<NeighborsFlags>();
  auto* command = app.add_subcommand(
      "neighbors", "Find the nearest vectors by cosine in a file that embed wrote");
  command->add_option("vectors", flags->vectors, "File of vectors: .npy or JSON Lines")->required();
  command->add_option("queries", flags->queries, "File of vectors; each of its rows is a query");
  command->add_option("--row", flags->rows, "Rows of the first file as queries, from 1; 1,7")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000'000'000}));
  auto* model = command->add_option("--model", flags->model,
                                    "Model directory that embeds --text, as it embedded the file");
  auto* text = command->add_option("--text", flags->query_texts, "Text as query; may be repeated")
                   ->allow_extra_args(false)
                   ->needs(model);
  model->needs(text);
  command->add_option("--top-k", flags->top, "Number of neighbors, the nearest first")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000'000}))
      ->capture_default_str();
  command->add_option("--texts", flags->texts, "Text file with a line for each vector, to print");
  add_word_option(*command, "--output-format", flags->format,
                  "tsv: query, row, similarity, then id and text where they are known; csv: the "
                  "same with a heading; jsonl: one object per query");
  command->add_option("--output", flags->output_file,
                      "Write to this file, which appears when all is written");
  add_compute_options(*command, flags->options);
  command->callback([flags] { neighbors(*flags); });
}

}  // namespace fastformer::cli

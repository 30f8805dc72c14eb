#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fastformer/cli/answers/prediction_input.h"
#include "fastformer/cli/answers/summary_output.h"
#include "fastformer/cli/commands.h"
#include "fastformer/cli/model_options.h"
#include "fastformer/cli/terminal_output.h"
#include "fastformer/data/json_lines.h"
#include "fastformer/data/line_stream.h"
#include "fastformer/summarization/readers/formats.h"
#include "fastformer/summarization/readers/reader.h"

namespace fastformer::cli {
namespace {

struct SummarizeFlags {
  std::filesystem::path model;
  std::vector<std::string> inputs = {"-"};
  std::string field;
  bool one_document = false;
  SummaryOptions output;
};

// The field of the document in a file of JSON Lines.
std::string field_of(const std::string& input, const SummarizeFlags& flags,
                     const summarization::DataConfig& config) {
  if (!flags.field.empty()) return flags.field;
  if (summarization::has_fields(config.format) && config.format != "parallel") {
    return config.source_field;
  }
  throw std::invalid_argument(input + ": name the field or column of the document with --field");
}

// Fewer lines are not taken for one wrapped text.
constexpr std::int64_t kFewestLines = 3;

// False for a line of a wrapped text; a sentence of another script may end in any character.
bool ends_a_sentence(std::string_view line) {
  const auto last = line.find_last_not_of(" \t\r\"')]");
  if (last == std::string_view::npos) return true;
  return static_cast<unsigned char>(line[last]) >= 0x80 ||
         std::string_view(".!?:;").find(line[last]) != std::string_view::npos;
}

void summarize(const SummarizeFlags& flags) {
  check_model_for("summarize", flags.model);
  const auto output = open_summary_output(flags.model, flags.output);
  for (const auto& input : flags.inputs) {
    const auto format = format_of_name(input);
    if (format == "jsonl" || (!flags.field.empty() && format.empty())) {
      const auto field = field_of(input, flags, output->data_config());
      data::JsonLines lines(input);
      for (nlohmann::json object; lines.next(object);) {
        output->add(data::lines_of_field(object, field, lines.where()));
      }
    } else if (!format.empty()) {  // csv or tsv
      const auto& config = output->data_config();
      const auto rows = summarization::open_delimited(input, format == "csv" ? ',' : '\t',
                                                      field_of(input, flags, config), "",
                                                      config.encoding, config.dialect);
      for (summarization::TextPair pair; rows->next(pair);) output->add(std::move(pair.source));
    } else if (input == "-" && !flags.one_document) {
      std::int64_t count = 0, ended = 0, objects = 0;
      data::LineStream lines(input);
      for (std::string line; lines.next(line); ++count) {
        ended += ends_a_sentence(line) ? 1 : 0;
        objects += line.starts_with('{') && line.ends_with('}') ? 1 : 0;
        output->add(line);
      }
      if (count > 0 && objects == count) {
        log_line(
            "the lines of the standard input, which look like JSON, were read as text; "
            "--field reads the document from a field");
      }
      if (count >= kFewestLines && 2 * ended < count) {
        log_line("the standard input was read as " + std::to_string(count) +
                 " documents, one per line, but most lines end within a sentence; "
                 "--one-document reads it as one document");
      }
    } else {
      output->add(data::read_document(input));
    }
  }
  output->finish();
  for (const auto& notice : output->notices()) log_line(notice);
}

}  // namespace

void add_summarize_command(CLI::App& app) {
  const auto flags = std::make_shared<SummarizeFlags>();
  auto& output = flags->output;
  auto* command = app.add_subcommand("summarize", "Summarize documents, one line per summary");
  command->add_option("model", flags->model, "Model directory of a summarizer")->required();
  command
      ->add_option("inputs", flags->inputs,
                   "Text files, one document per file, or JSON Lines (.jsonl); -: standard input, "
                   "one document per line")
      ->capture_default_str();
  command->add_option(
      "--field", flags->field,
      "Read the inputs as JSON Lines, with the document in this field, or the column of a .csv or "
      ".tsv; default for .jsonl, .csv and .tsv: data.source_field of the training");
  command->add_flag("--one-document", flags->one_document,
                    "Read the standard input as one document");
  command
      ->add_option("--set", output.set,
                   "Override a setting of the search or of the selection, such as "
                   "search.method=greedy or selection.redundancy=mmr")
      ->type_name("KEY=VALUE");
  auto* json = command->add_flag("--json", output.json, "Print one JSON object per line");
  auto* explain = command->add_flag(
      "--explain", output.explain,
      "Also print what the model saw: for each token of a written summary the tokens of the "
      "document that it attends to, or the score of each sentence of the document");
  auto* stream =
      command
          ->add_flag(
              "--stream", output.stream,
              "Print each summary while it is generated; needs search.method=greedy or sample")
          ->excludes(json);
  command->add_option("--sentences", output.sentences, "Extractive: most sentences of a summary")
      ->check(CLI::PositiveNumber);
  command->add_option("--words", output.words, "Extractive: most words of a summary")
      ->check(CLI::PositiveNumber);
  command
      ->add_option("--ratio", output.ratio,
                   "Extractive: most words of a summary, as a share of the document's words")
      ->check(CLI::Range(1e-9, 1.0));
  add_word_option(
      *command, "--highlight", output.highlight,
      "Extractive: print the document with the chosen sentences marked and their scores, "
      "for the terminal or as an HTML page")
      ->excludes(json)
      ->excludes(explain)
      ->excludes(stream);
  add_compute_options(*command, output.compute);
  command->callback([flags] { summarize(*flags); });
}

}  // namespace fastformer::cli

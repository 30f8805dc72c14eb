#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/format.h"
#include "fastformer/base/json_text.h"
#include "fastformer/cli/answers/prediction_input.h"
#include "fastformer/cli/commands.h"
#include "fastformer/cli/model_options.h"
#include "fastformer/cli/terminal_output.h"
#include "fastformer/data/json_lines.h"
#include "fastformer/summarization/readers/reader.h"
#include "fastformer/summarization/summarizer.h"
#include "fastformer/summarization/summarizer_service.h"
#include "fastformer/train/task_kind.h"

namespace fastformer::cli {
namespace {

using Json = nlohmann::ordered_json;

struct SummarizeFlags {
  std::filesystem::path model;
  std::vector<std::string> inputs = {"-"};
  std::string field;
  bool one_document = false;
  std::vector<std::string> set;
  bool json = false, explain = false, stream = false;
  Options options;
};

// A line per token of a summary: the share of copying, where the model can, and the tokens of the
// document that it looked at, each with its weight and its position from 0.
std::string explanation_text(const std::vector<WrittenToken>& tokens) {
  if (tokens.empty()) return {};
  auto text =
      base::format("  %-20s%s   attends to\n", "token", tokens.front().copied ? "   copied" : "");
  for (const auto& token : tokens) {
    text += base::format("  %-20s", token.token.c_str());
    if (token.copied) text += base::format(" %8.4f", *token.copied);
    for (const auto& source : token.sources) {
      text += base::format("   %.4f %s [%lld]", source.weight, source.token.c_str(),
                           static_cast<long long>(source.position));
    }
    text += '\n';
  }
  return text;
}

// Prints summaries of documents as they come, in their order, so many at a time.
class Summaries {
 public:
  explicit Summaries(const SummarizeFlags& flags)
      : flags_(flags), summarizer_(Summarizer::load(flags.model, flags.options)) {
    options_.search = summarizer_.search();
    base::ConfigTree::from_assignments(flags.set, {"search"})
        .read_section("search", options_.search);
    options_.explain = flags.explain;
    if (!flags.stream) return;
    if (options_.search.method == summarization::SearchMethod::kBeam) {
      throw std::invalid_argument(
          "--stream: beam search has no summary until its end; add --set search.method=greedy");
    }
    options_.stream = [](std::string_view piece) { std::cout << piece << std::flush; };
  }

  void add(std::string document) {
    documents_.push_back(std::move(document));
    if (flags_.stream || documents_.size() == kDocuments) write();
  }

  void write() {
    if (documents_.empty()) return;
    for (const auto& summary : summarizer_.summarize(documents_, options_)) {
      if (summary.empty_document) ++empty_;
      if (summary.truncated) ++truncated_;
      if (flags_.json) {
        Json line = {{"summary", summary.text}, {"log_probability", summary.log_probability}};
        if (flags_.explain) line["explanation"] = summarization::explanation_json(summary.tokens);
        std::cout << base::json_text(line) << '\n';
      } else {
        std::cout << (flags_.stream ? "" : summary.text) << '\n'
                  << explanation_text(summary.tokens);
      }
    }
    std::cout.flush();
    options_.first_document += std::ssize(documents_);
    documents_.clear();
  }

  // The field of the document in a file of JSON Lines.
  std::string field_of(const std::string& input) const {
    const auto& config = summarizer_.data_config();
    const bool named = summarization::has_fields(config.format) && config.format != "parallel";
    if (!flags_.field.empty() || named) {
      return flags_.field.empty() ? config.source_field : flags_.field;
    }
    throw std::invalid_argument(input +
                                ": is JSON Lines; name the field of the document with --field");
  }

  std::vector<std::string> notices() const {
    std::vector<std::string> notices;
    const auto all = std::to_string(options_.first_document) + " documents ";
    if (empty_ > 0) {
      notices.push_back(std::to_string(empty_) + " of " + all +
                        (empty_ == 1 ? "is empty, and so is its summary"
                                     : "are empty, and so are their summaries"));
    }
    if (truncated_ > 0) {
      notices.push_back(std::to_string(truncated_) + " of " + all +
                        (truncated_ == 1 ? "is" : "are") + " truncated to " +
                        std::to_string(summarizer_.token_limit()) + " tokens");
    }
    return notices;
  }

 private:
  static constexpr std::size_t kDocuments = 64;

  const SummarizeFlags& flags_;
  Summarizer summarizer_;
  SummarizeOptions options_;
  std::vector<std::string> documents_;
  std::int64_t empty_ = 0, truncated_ = 0;
};

void summarize(const SummarizeFlags& flags) {
  check_model_for("summarize", flags.model);
  Summaries summaries(flags);
  for (const auto& input : flags.inputs) {
    if (!flags.field.empty() || format_of_name(input) == "jsonl") {
      const auto field = summaries.field_of(input);
      data::JsonLines lines(input);
      for (nlohmann::json object; lines.next(object);) {
        summaries.add(data::lines_of_field(object, field, lines.where()));
      }
    } else if (input == "-" && !flags.one_document) {
      data::LineStream lines(input);
      for (std::string line; lines.next(line);) summaries.add(line);
    } else {
      summaries.add(data::read_document(input));
    }
  }
  summaries.write();
  for (const auto& notice : summaries.notices()) log_line(notice);
}

}  // namespace

void add_summarize_command(CLI::App& app) {
  const auto flags = std::make_shared<SummarizeFlags>();
  auto* command = app.add_subcommand("summarize", "Summarize documents, one line per summary");
  command->add_option("model", flags->model, "Model directory of a summarizer")->required();
  command
      ->add_option("inputs", flags->inputs,
                   "Text files, one document per file, or JSON Lines (.jsonl); -: standard input, "
                   "one document per line")
      ->capture_default_str();
  command->add_option("--field", flags->field,
                      "Read the inputs as JSON Lines, with the document in this field; default for "
                      ".jsonl: data.source_field of the training");
  command->add_flag("--one-document", flags->one_document,
                    "Read the standard input as one document");
  command
      ->add_option("--set", flags->set,
                   "Override a search setting, such as search.beams=4 or search.method=greedy")
      ->type_name("KEY=VALUE");
  auto* json = command->add_flag("--json", flags->json, "Print one JSON object per line");
  command->add_flag(
      "--explain", flags->explain,
      "Also print the tokens of the document that each token of the summary attends to");
  command
      ->add_flag("--stream", flags->stream,
                 "Print each summary while it is generated; needs search.method=greedy or sample")
      ->excludes(json);
  add_compute_options(*command, flags->options);
  command->callback([flags] { summarize(*flags); });
}

}  // namespace fastformer::cli

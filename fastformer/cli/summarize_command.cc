#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <span>
#include <stdexcept>
#include <utility>

#include "fastformer/base/atomic_file.h"
#include "fastformer/cli/commands.h"
#include "fastformer/cli/model_data.h"
#include "fastformer/cli/summary_explanation_text.h"
#include "fastformer/data/json_lines.h"
#include "fastformer/data/line_stream.h"
#include "fastformer/tasks/summarizer_directory.h"
#include "fastformer/tasks/summary_explanation.h"
#include "fastformer/tasks/summary_writer.h"
#include "fastformer/text/growing_text.h"

namespace fastformer::cli {
namespace {

struct SummarizeFlags {
  std::filesystem::path model;
  std::vector<std::string> inputs = {"-"};
  std::string field;
  std::vector<std::string> set;
  bool json = false, explain = false, stream = false;
};

// Writes summaries of documents as they come, in their order, so many at a time.
class Summaries {
 public:
  explicit Summaries(const SummarizeFlags& flags)
      : flags_(flags), content_(tasks::load_summarizer(flags.model)) {
    overrides(flags.set, {"search"}).read_section("search", content_.search);
    if (flags.stream && content_.search.method == "beam") {
      throw std::invalid_argument(
          "--stream: a beam search knows its summary only at the end; add "
          "--set search.method=greedy");
    }
  }

  void add(const std::string& document) {
    const auto max_tokens = content_.data_config.max_source_tokens;
    const auto limit = max_tokens > 0 ? static_cast<std::size_t>(max_tokens) : kNoLimit;
    content_.tokenizer->encode(document, ids_, limit);
    offsets_.push_back(static_cast<std::int64_t>(ids_.size()));
    if (flags_.explain) {
      const auto words = content_.tokenizer->tokens(document, limit);
      words_.insert(words_.end(), words.begin(), words.end());
    }
    if (flags_.stream || offsets_.size() > kDocuments || ids_.size() > kTokens) write();
  }

  void write() {
    if (offsets_.size() == 1) return;
    const auto& tokenizer = *content_.tokenizer;
    text::GrowingText streamed(tokenizer);
    std::vector<std::int64_t> numbers(offsets_.size() - 1);
    std::iota(numbers.begin(), numbers.end(), written_);
    tasks::SummaryOptions options{.banned = {tokenizer.pad_id(), tokenizer.unknown_id()},
                                  .numbers = numbers};
    if (flags_.stream) {
      options.sink = [&](std::int64_t, std::int32_t token) {
        std::cout << streamed.add(token) << std::flush;
      };
    }
    const auto texts = tasks::summarize(*content_.model, ids_, nn::Offsets(offsets_),
                                        content_.search, std::move(options));
    for (std::size_t b = 0; b < texts.size(); ++b) {
      const auto text = texts[b].empty() ? tasks::WrittenText() : texts[b].front();
      const auto summary = flags_.stream ? streamed.finish() : tokenizer.decode(text.tokens);
      if (flags_.json) {
        print_json(b, text, summary);
      } else {
        std::cout << summary << '\n';
        if (flags_.explain) std::cout << explanation_text(explanation(b, text), spelling(b));
      }
    }
    std::cout.flush();
    written_ += static_cast<std::int64_t>(texts.size());
    ids_.clear();
    words_.clear();
    offsets_ = {0};
  }

 private:
  static constexpr std::size_t kDocuments = 64, kTokens = 32768;
  static constexpr auto kNoLimit = text::Tokenizer::kNoLimit;

  void print_json(std::size_t document, const tasks::WrittenText& text,
                  const std::string& summary) const {
    nlohmann::ordered_json line = {{"summary", summary}, {"log_probability", text.log_probability}};
    if (flags_.explain) {
      line["explanation"] = explanation_json(explanation(document, text), spelling(document));
    }
    std::cout << line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace)
              << '\n';
  }

  std::vector<tasks::TokenExplanation> explanation(std::size_t document,
                                                   const tasks::WrittenText& text) const {
    return tasks::explain_summary(*content_.model, part<std::int32_t>(ids_, document), text.tokens);
  }

  SummarySpelling spelling(std::size_t document) const {
    return {*content_.tokenizer, part<std::string>(words_, document)};
  }

  // What a document has of a list of all tokens.
  template <class T>
  std::span<const T> part(std::span<const T> all, std::size_t document) const {
    return all.subspan(offsets_[document], offsets_[document + 1] - offsets_[document]);
  }

  const SummarizeFlags& flags_;
  tasks::SummarizerDirectory content_;
  std::vector<std::int32_t> ids_;
  std::vector<std::string> words_;  // of ids_, to explain
  std::vector<std::int64_t> offsets_ = {0};
  std::int64_t written_ = 0;  // summaries
};

void summarize(const SummarizeFlags& flags) {
  Summaries summaries(flags);
  for (const auto& input : flags.inputs) {
    if (!flags.field.empty()) {
      data::JsonLines lines(input);
      for (nlohmann::json object; lines.next(object);) {
        summaries.add(data::lines_of_field(object, flags.field, lines.where()));
      }
    } else if (input == "-") {
      data::LineStream lines(input);
      for (std::string line; lines.next(line);) summaries.add(line);
    } else {
      summaries.add(base::read_file(input));
    }
  }
  summaries.write();
}

}  // namespace

void add_summarize_command(CLI::App& app) {
  const auto flags = std::make_shared<SummarizeFlags>();
  auto* command = app.add_subcommand("summarize", "Summarize documents, one line for each");
  command->add_option("model", flags->model, "Model directory of a summarizer")->required();
  command
      ->add_option("inputs", flags->inputs,
                   "Files, a document each; - is the standard input, a document a line")
      ->capture_default_str();
  command->add_option("--field", flags->field,
                      "The inputs are JSON Lines, with a document in this field");
  command->add_option("--set", flags->set, "How to search: search.beams=4, search.method=greedy")
      ->type_name("KEY=VALUE");
  auto* json = command->add_flag("--json", flags->json, "Print a JSON object a line");
  command->add_flag("--explain", flags->explain,
                    "Add what the model looked at for each token of a summary");
  command
      ->add_flag("--stream", flags->stream,
                 "Print a summary while it is written; not with search.method=beam")
      ->excludes(json);
  add_precision_option(*command);
  command->callback([flags] { summarize(*flags); });
}

}  // namespace fastformer::cli

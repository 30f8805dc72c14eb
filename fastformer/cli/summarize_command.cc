#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "fastformer/base/atomic_file.h"
#include "fastformer/cli/commands.h"
#include "fastformer/cli/model_data.h"
#include "fastformer/data/json_lines.h"
#include "fastformer/data/line_stream.h"
#include "fastformer/tasks/summarizer_directory.h"
#include "fastformer/tasks/summary_writer.h"

namespace fastformer::cli {
namespace {

struct SummarizeFlags {
  std::filesystem::path model;
  std::vector<std::string> inputs = {"-"};
  std::string field;
  std::vector<std::string> set;
  bool json = false;
};

// Writes summaries of documents as they come, in their order, so many at a time.
class Summaries {
 public:
  explicit Summaries(const SummarizeFlags& flags)
      : json_(flags.json), content_(tasks::load_summarizer(flags.model)) {
    overrides(flags.set, {"search"}).read_section("search", content_.search);
  }

  void add(const std::string& document) {
    const auto limit = content_.data_config.max_source_tokens;
    content_.tokenizer->encode(document, ids_,
                               limit > 0 ? static_cast<std::size_t>(limit) : kNoLimit);
    offsets_.push_back(static_cast<std::int64_t>(ids_.size()));
    if (offsets_.size() > kDocuments || ids_.size() > kTokens) write();
  }

  void write() {
    if (offsets_.size() == 1) return;
    const auto& tokenizer = *content_.tokenizer;
    const auto texts =
        tasks::summarize(*content_.model, ids_, nn::Offsets(offsets_), content_.search,
                         {tokenizer.pad_id(), tokenizer.unknown_id()});
    for (const auto& text : texts) {
      const auto summary = text.empty() ? std::string() : tokenizer.decode(text.front().tokens);
      if (!json_) {
        std::cout << summary << '\n';
        continue;
      }
      const nlohmann::ordered_json line = {
          {"summary", summary},
          {"log_probability", text.empty() ? 0 : text.front().log_probability}};
      std::cout << line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace)
                << '\n';
    }
    std::cout.flush();
    ids_.clear();
    offsets_ = {0};
  }

 private:
  static constexpr std::size_t kDocuments = 16, kTokens = 16384;
  static constexpr auto kNoLimit = text::Tokenizer::kNoLimit;

  bool json_;
  tasks::SummarizerDirectory content_;
  std::vector<std::int32_t> ids_;
  std::vector<std::int64_t> offsets_ = {0};
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
  command->add_flag("--json", flags->json, "Print a JSON object a line");
  add_precision_option(*command);
  command->callback([flags] { summarize(*flags); });
}

}  // namespace fastformer::cli

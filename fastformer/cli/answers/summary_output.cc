#include "fastformer/cli/answers/summary_output.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iostream>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "fastformer/base/config_tree.h"
#include "fastformer/base/format.h"
#include "fastformer/base/json_text.h"
#include "fastformer/base/model_directory.h"
#include "fastformer/cli/answers/highlighted_text.h"
#include "fastformer/cli/terminal_output.h"
#include "fastformer/summarization/extractive/extractive_model.h"
#include "fastformer/summarization/extractive/extractive_service.h"
#include "fastformer/summarization/extractive/extractive_summarizer.h"
#include "fastformer/summarization/summarizer.h"
#include "fastformer/summarization/summarizer_service.h"
#include "fastformer/text/display_width.h"
#include "fastformer/text/one_line.h"

namespace fastformer::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kDocuments = 64;  // that share a call

// Counts documents for the notices at the end.
class DocumentCounts {
 public:
  // `tokens`: of the whole document, if they are known.
  void add(bool empty, bool truncated, std::int64_t tokens = 0) {
    ++all_;
    if (empty) ++empty_;
    if (truncated) ++truncated_;
    if (truncated) longest_ = std::max(longest_, tokens);
  }

  std::int64_t all() const { return all_; }

  std::vector<std::string> notices(std::int64_t token_limit) const {
    std::vector<std::string> notices;
    const auto all = std::to_string(all_) + " documents ";
    if (empty_ > 0) {
      notices.push_back(std::to_string(empty_) + " of " + all +
                        (empty_ == 1 ? "is empty, and so is its summary"
                                     : "are empty, and so are their summaries"));
    }
    if (truncated_ > 0) {
      notices.push_back(
          std::to_string(truncated_) + " of " + all + (truncated_ == 1 ? "is" : "are") +
          " truncated to " + std::to_string(token_limit) +
          (longest_ == 0     ? " tokens"
           : truncated_ == 1 ? " of " + std::to_string(longest_) + " tokens"
                             : " tokens; the longest has " + std::to_string(longest_)));
    }
    return notices;
  }

 private:
  std::int64_t all_ = 0, empty_ = 0, truncated_ = 0, longest_ = 0;
};

// A line per token of a summary: the share of copying, where the model can, and the tokens of the
// document that it looked at, each with its weight and its position from 0.
std::string explanation_text(const std::vector<WrittenToken>& tokens) {
  if (tokens.empty()) return {};
  auto lines =
      base::format("  %-20s%s   attends to\n", "token", tokens.front().copied ? "   copied" : "");
  for (const auto& token : tokens) {
    lines += "  " + text::padded(token.token, 20);
    if (token.copied) lines += base::format(" %8.4f", *token.copied);
    for (const auto& source : token.sources) {
      lines += base::format("   %.4f %s [%lld]", source.weight, source.token.c_str(),
                            static_cast<long long>(source.position));
    }
    lines += '\n';
  }
  return lines;
}

class AbstractiveOutput final : public SummaryOutput {
 public:
  AbstractiveOutput(const std::filesystem::path& model, const SummaryOptions& options)
      : options_(options), summarizer_(Summarizer::load(model, options.compute)) {
    request_.search = summarizer_.search();
    base::ConfigTree::from_assignments(options.set, {"search"})
        .read_section("search", request_.search);
    request_.explain = options.explain;
    request_.count_tokens = true;
    if (!options.stream) return;
    if (request_.search.method == summarization::SearchMethod::kBeam) {
      throw std::invalid_argument(
          "--stream: beam search has no summary until its end; add --set search.method=greedy");
    }
    request_.stream = [](std::string_view piece) { std::cout << piece << std::flush; };
  }

  void add(std::string document) override {
    documents_.push_back(std::move(document));
    if (options_.stream || documents_.size() == kDocuments) write();
  }
  void finish() override { write(); }

  const summarization::DataConfig& data_config() const override {
    return summarizer_.data_config();
  }
  std::vector<std::string> notices() const override {
    return counts_.notices(summarizer_.token_limit());
  }

 private:
  void write() {
    if (documents_.empty()) return;
    for (const auto& summary : summarizer_.summarize(documents_, request_)) {
      counts_.add(summary.empty_document, summary.truncated, summary.document_tokens);
      if (options_.json) {
        Json line = {{"summary", summary.text}, {"log_probability", summary.log_probability}};
        if (options_.explain) {
          line["explanation"] = summarization::explanation_json(summary.tokens);
        }
        std::cout << base::json_text(line) << '\n';
      } else {
        std::cout << (options_.stream ? "" : summary.text) << '\n'
                  << explanation_text(summary.tokens);
      }
    }
    std::cout.flush();
    request_.first_document += std::ssize(documents_);
    documents_.clear();
  }

  const SummaryOptions& options_;
  Summarizer summarizer_;
  SummarizeOptions request_;
  std::vector<std::string> documents_;
  DocumentCounts counts_;
};

// A line per sentence of the document: whether it is chosen, its score, and its text.
std::string explanation_text(const RankedDocument& document, std::span<const std::size_t> chosen) {
  std::string lines;
  for (std::size_t i = 0; i < document.sentences.size(); ++i) {
    const bool taken = std::binary_search(chosen.begin(), chosen.end(), i);
    lines += base::format("  %c %.4f  ", taken ? '*' : ' ', document.sentences[i].score);
    lines += text::in_one_line(std::array{document.sentence(i)}) + '\n';
  }
  return lines;
}

class ExtractiveOutput final : public SummaryOutput {
 public:
  ExtractiveOutput(const std::filesystem::path& model, const SummaryOptions& options)
      : options_(options),
        summarizer_(ExtractiveSummarizer::load(model, options.compute)),
        selection_(summarizer_.selection()) {
    auto tree = base::ConfigTree::from_assignments(options.set, {"selection"});
    if (options.sentences) tree.set("selection", "sentences", {*options.sentences, "--sentences"});
    if (options.words) tree.set("selection", "words", {*options.words, "--words"});
    if (options.ratio) tree.set("selection", "ratio", {*options.ratio, "--ratio"});
    selection_.override_by(tree);
    if (options.highlight == Highlight::kHtml) std::cout << highlight_page_begin();
  }

  void add(std::string document) override {
    documents_.push_back(std::move(document));
    if (documents_.size() == kDocuments) write();
  }

  void finish() override {
    write();
    if (options_.highlight == Highlight::kHtml) std::cout << highlight_page_end();
    std::cout.flush();
  }

  const summarization::DataConfig& data_config() const override {
    return summarizer_.data_config();
  }
  std::vector<std::string> notices() const override {
    return counts_.notices(summarizer_.token_limit());
  }

 private:
  void write() {
    for (const auto& document : summarizer_.rank(documents_)) {
      counts_.add(document.sentences.empty(), document.truncated);
      write(document, document.summarize(selection_));
    }
    std::cout.flush();
    documents_.clear();
  }

  void write(const RankedDocument& document, const ExtractiveSummary& summary) const {
    if (options_.highlight == Highlight::kHtml) {
      std::cout << highlighted_html(document, summary.chosen);
    } else if (options_.highlight == Highlight::kTerminal) {
      write_highlighted(document, summary.chosen);
    } else if (options_.json) {
      Json line = {{"summary", summary.text},
                   {"sentences", summarization::sentences_json(document, summary.chosen)}};
      if (options_.explain) line["document"] = summarization::sentences_json(document);
      std::cout << base::json_text(line) << '\n';
    } else {
      std::cout << summary.text << '\n';
      if (options_.explain) std::cout << explanation_text(document, summary.chosen);
    }
  }

  const SummaryOptions& options_;
  ExtractiveSummarizer summarizer_;
  summarization::SelectionConfig selection_;
  std::vector<std::string> documents_;
  DocumentCounts counts_;
};

}  // namespace

std::unique_ptr<SummaryOutput> open_summary_output(const std::filesystem::path& model,
                                                   const SummaryOptions& options) {
  if (base::kind_of_model(model) == summarization::kExtractiveKind) {
    if (options.stream) {
      throw std::invalid_argument("--stream is for abstractive summarizers, but " + model.string() +
                                  " chooses sentences; remove it");
    }
    return std::make_unique<ExtractiveOutput>(model, options);
  }
  if (options.sentences || options.words || options.ratio ||
      options.highlight != Highlight::kNone) {
    throw std::invalid_argument(
        "--sentences, --words, --ratio and --highlight are for extractive summarizers, but " +
        model.string() + " writes its summaries; --set search.max_tokens=N limits them");
  }
  return std::make_unique<AbstractiveOutput>(model, options);
}

}  // namespace fastformer::cli

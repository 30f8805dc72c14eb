#include "fastformer/summarization/summarizer.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "fastformer/base/out_of_memory.h"
#include "fastformer/data/batch.h"
#include "fastformer/nn/inference.h"
#include "fastformer/summarization/abstractive/summarizer_model.h"
#include "fastformer/summarization/abstractive/summary_writer.h"
#include "fastformer/text/growing_text.h"

namespace fastformer {

struct Summarizer::Impl {
  summarization::SummarizerContent content;
  Options options;

  std::int64_t token_limit() const {
    return content.model->config().source.token_limit(content.data_config.max_source_tokens);
  }

  template <class Action>
  decltype(auto) compute(Action&& action) const {
    return nn::infer(options, std::forward<Action>(action));
  }

  std::int64_t count_tokens(std::string_view document) const {
    std::vector<std::int32_t> ids;
    content.tokenizer->encode(document, ids);
    return std::ssize(ids);
  }

  // Appends the summaries of the documents of a batch.
  void write(const data::TokenBatch& batch, std::span<const std::string> documents,
             const SummarizeOptions& request, summarization::WritingOptions writing,
             std::vector<Summary>& summaries) const {
    const auto& tokenizer = *content.tokenizer;
    text::GrowingText streamed(tokenizer);
    std::vector<std::int64_t> numbers(documents.size());
    std::iota(numbers.begin(), numbers.end(), request.first_document + std::ssize(summaries));
    writing.numbers = numbers;
    if (request.stream) {
      writing.sink = [&](std::int64_t, std::int32_t token) { request.stream(streamed.add(token)); };
    }
    const auto texts = summarization::write_summaries(
        *content.model, batch.ids, nn::Offsets(batch.offsets), request.search, std::move(writing));
    if (request.stream) request.stream(streamed.finish());
    for (std::size_t b = 0; b < texts.size(); ++b) {
      const auto text = texts[b].empty() ? summarization::WrittenText() : texts[b].front();
      auto& summary = summaries.emplace_back();
      summary.text = tokenizer.decode(text.tokens);
      summary.log_probability = text.log_probability;
      if (!request.explain) continue;
      const auto ids = batch.sequence(static_cast<std::int64_t>(b));
      summary.tokens = explain(documents[b], ids, text.tokens);
    }
  }

  std::vector<WrittenToken> explain(const std::string& document, std::span<const std::int32_t> ids,
                                    std::span<const std::int32_t> written) const {
    const auto words = content.tokenizer->tokens(document, ids.size());
    std::vector<WrittenToken> result;
    for (const auto& token : summarization::explain_summary(*content.model, ids, written)) {
      auto& one = result.emplace_back(
          WrittenToken{content.tokenizer->token(token.token), token.copied, {}});
      for (const auto& [position, weight] : token.sources) {
        one.sources.push_back({words[static_cast<std::size_t>(position)], position, weight});
      }
    }
    return result;
  }
};

Summarizer Summarizer::load(const std::filesystem::path& directory, const Options& options) {
  return nn::without_torch_errors(
      [&] { return Summarizer(summarization::SummarizerContent::load(directory), options); });
}

Summarizer::Summarizer(summarization::SummarizerContent content, const Options& options)
    : impl_(std::make_unique<Impl>(Impl{std::move(content), options})) {}

Summarizer::Summarizer(Summarizer&&) noexcept = default;
Summarizer& Summarizer::operator=(Summarizer&&) noexcept = default;
Summarizer::~Summarizer() = default;

const summarization::SummarizerContent& Summarizer::content() const { return impl_->content; }

const summarization::SearchConfig& Summarizer::search() const { return impl_->content.search; }

std::int64_t Summarizer::token_limit() const { return impl_->token_limit(); }

const summarization::DataConfig& Summarizer::data_config() const {
  return impl_->content.data_config;
}

Summary Summarizer::summarize(std::string_view document) const {
  const std::string text(document);
  return summarize(std::span(&text, 1), {.search = search()}).front();
}

std::vector<Summary> Summarizer::summarize(std::span<const std::string> documents,
                                           const SummarizeOptions& options) const {
  if (options.stream &&
      (options.search.method == summarization::SearchMethod::kBeam || documents.size() != 1)) {
    throw std::invalid_argument(
        "only one document at a time can be streamed, and not with search.method = \"beam\", which "
        "has no summary until its end");
  }
  return impl_->compute([&] {
    const auto writing = summarization::writing_options(*impl_->content.tokenizer, options.search);
    std::vector<Summary> summaries;
    data::TokenBatch batch;
    std::vector<bool> truncated;
    std::vector<std::int64_t> tokens;
    const auto flush = [&] {
      if (batch.size() > 0) {
        const auto first = summaries.size();
        const auto count = static_cast<std::size_t>(batch.size());
        base::naming_memory([&] { return batch.description(); },
                            [&] {
                              impl_->write(batch, documents.subspan(first, count), options, writing,
                                           summaries);
                            });
      }
      batch = {};
    };
    for (const auto& document : documents) {
      const auto encoded =
          text::encode_limited(*impl_->content.tokenizer, document, impl_->token_limit());
      truncated.push_back(encoded.truncated);
      const bool reads_on = encoded.truncated && options.count_tokens;
      tokens.push_back(reads_on ? impl_->count_tokens(document) : std::ssize(encoded.ids));
      if (encoded.ids.empty()) {
        flush();
        summaries.push_back({.text = {}, .empty_document = true});
        continue;
      }
      batch.ids.insert(batch.ids.end(), encoded.ids.begin(), encoded.ids.end());
      batch.offsets.push_back(batch.tokens());
      if (batch.tokens() >= impl_->options.max_batch_tokens) flush();
    }
    flush();
    for (std::size_t i = 0; i < summaries.size(); ++i) {
      summaries[i].truncated = truncated[i];
      summaries[i].document_tokens = tokens[i];
    }
    return summaries;
  });
}

}  // namespace fastformer

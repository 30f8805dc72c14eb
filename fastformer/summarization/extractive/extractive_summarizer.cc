#include "fastformer/summarization/extractive/extractive_summarizer.h"

#include <utility>

#include "fastformer/nn/inference.h"
#include "fastformer/summarization/extractive/extractive_model.h"
#include "fastformer/summarization/extractive/scored_document.h"
#include "fastformer/summarization/extractive/selection.h"

namespace fastformer {

struct ExtractiveSummarizer::Impl {
  summarization::ExtractiveContent content;
  Options options;

  std::int64_t token_limit() const {
    return content.model->config().source.token_limit(content.data_config.max_source_tokens);
  }
};

ExtractiveSummary RankedDocument::summarize(const summarization::SelectionConfig& selection) const {
  std::vector<text::Sentence> views;
  std::vector<double> scores;
  for (std::size_t i = 0; i < sentences.size(); ++i) {
    views.push_back({sentence(i), sentences[i].kind});
    scores.push_back(sentences[i].score);
  }
  ExtractiveSummary summary;
  summary.chosen = summarization::select_sentences(views, scores, selection);
  summary.text = summarization::joined(views, summary.chosen);
  return summary;
}

ExtractiveSummarizer ExtractiveSummarizer::load(const std::filesystem::path& directory,
                                                const Options& options) {
  return nn::without_torch_errors([&] {
    return ExtractiveSummarizer(summarization::ExtractiveContent::load(directory), options);
  });
}

ExtractiveSummarizer::ExtractiveSummarizer(summarization::ExtractiveContent content,
                                           const Options& options)
    : impl_(std::make_unique<Impl>(Impl{std::move(content), options})) {}

ExtractiveSummarizer::ExtractiveSummarizer(ExtractiveSummarizer&&) noexcept = default;
ExtractiveSummarizer& ExtractiveSummarizer::operator=(ExtractiveSummarizer&&) noexcept = default;
ExtractiveSummarizer::~ExtractiveSummarizer() = default;

const summarization::ExtractiveContent& ExtractiveSummarizer::content() const {
  return impl_->content;
}

const summarization::SelectionConfig& ExtractiveSummarizer::selection() const {
  return impl_->content.selection;
}

std::int64_t ExtractiveSummarizer::token_limit() const { return impl_->token_limit(); }

const summarization::DataConfig& ExtractiveSummarizer::data_config() const {
  return impl_->content.data_config;
}

std::vector<RankedDocument> ExtractiveSummarizer::rank(
    std::span<const std::string> documents) const {
  const std::vector<std::string_view> texts(documents.begin(), documents.end());
  const auto scored = nn::infer(impl_->options, [&] {
    return summarization::score_documents(
        *impl_->content.model, *impl_->content.tokenizer, texts,
        {.document_tokens = token_limit(), .batch_tokens = impl_->options.max_batch_tokens});
  });
  std::vector<RankedDocument> ranked;
  for (std::size_t d = 0; d < scored.size(); ++d) {
    auto& document = ranked.emplace_back();
    document.text = documents[d];
    document.truncated = scored[d].truncated;
    for (std::size_t s = 0; s < scored[d].sentences.size(); ++s) {
      const auto& sentence = scored[d].sentences[s];
      const auto begin = static_cast<std::size_t>(sentence.text.data() - documents[d].data());
      document.sentences.push_back({.begin = begin,
                                    .end = begin + sentence.text.size(),
                                    .kind = sentence.kind,
                                    .score = scored[d].scores[s]});
    }
  }
  return ranked;
}

ExtractiveSummary ExtractiveSummarizer::summarize(std::string_view document) const {
  const std::string text(document);
  return rank(std::span(&text, 1)).front().summarize(selection());
}

}  // namespace fastformer

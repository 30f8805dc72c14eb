#include "fastformer/summarization/extractive/document.h"

#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

#include "fastformer/metrics/rouge/extractive.h"

namespace fastformer::summarization {
namespace {

constexpr std::size_t kNumbers = sizeof(SentenceAnnotation) / sizeof(std::int32_t);

std::optional<EncodedPair> encode(const text::Tokenizer& tokenizer, const DataConfig& config,
                                  const TextPair& pair) {
  auto document = read_document(tokenizer, pair.source, config.max_source_tokens);
  const auto target = text::encode_limited(tokenizer, pair.target, config.min_target_tokens);
  if (std::ssize(document.ids) < config.min_source_tokens ||
      std::ssize(target.ids) < config.min_target_tokens) {
    return std::nullopt;
  }
  // Only sentences that can be chosen are targets.
  const auto candidates = text::text_sentences(document.sentences);
  std::vector<std::string_view> sentences;
  for (const auto sentence : candidates) sentences.push_back(document.sentences[sentence].text);
  const auto tokens = metrics::rouge_tokens_of(pair.target);
  const auto judged = metrics::ExtractiveOracle(metrics::has_stems(tokens), tokens)
                          .judge(sentences, pair.target, /*limit=*/0);
  EncodedPair encoded{.source = {.ids = std::move(document.ids), .truncated = document.truncated},
                      .target = {}};
  std::vector<SentenceAnnotation> annotations;
  for (std::size_t s = 0; s < document.sentences.size(); ++s) {
    annotations.push_back({.tokens = document.lengths[s],
                           .kind = static_cast<std::int32_t>(document.sentences[s].kind)});
  }
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    annotations[candidates[c]].gain =
        static_cast<std::int32_t>(std::lround(judged.gains[c] * SentenceAnnotation::kMostGain));
  }
  for (const auto c : judged.chosen) annotations[candidates[c]].oracle = 1;
  for (const auto& one : annotations) {
    for (const auto number : {one.tokens, one.kind, one.oracle, one.gain}) {
      encoded.target.ids.push_back(number);
    }
  }
  return encoded;
}

[[noreturn]] void refuse(std::int64_t row) {
  throw std::invalid_argument("row " + std::to_string(row) +
                              " of the prepared data: the numbers of its sentences do not match "
                              "its tokens; delete the folder 'cache' of the run, or data.cache, to "
                              "prepare the data again");
}

// The annotations of a row, checked: the file may come from anyone.
std::vector<SentenceAnnotation> annotations_of(const PairCorpus& corpus, std::int64_t row) {
  const auto numbers = corpus.target.tokens(row);
  if (numbers.size() % kNumbers != 0) refuse(row);
  std::vector<SentenceAnnotation> annotations;
  std::int64_t tokens = 0;
  for (std::size_t i = 0; i < numbers.size(); i += kNumbers) {
    const SentenceAnnotation one = {.tokens = numbers[i],
                                    .kind = numbers[i + 1],
                                    .oracle = numbers[i + 2],
                                    .gain = numbers[i + 3]};
    annotations.push_back(one);
    tokens += one.tokens;
    if (one.tokens < 1 || one.kind >= std::ssize(base::kWords<text::SentenceKind>) ||
        one.oracle > 1 || one.gain > SentenceAnnotation::kMostGain) {
      refuse(row);
    }
  }
  if (tokens != std::ssize(corpus.source.tokens(row))) refuse(row);
  return annotations;
}

}  // namespace

SentenceDocument read_document(const text::Tokenizer& tokenizer, std::string_view text,
                               std::int64_t max_tokens) {
  SentenceDocument document;
  const auto limit =
      max_tokens > 0 ? static_cast<std::size_t>(max_tokens) : text::Tokenizer::kNoLimit;
  for (const auto& sentence : text::document_sentences(text)) {
    const auto before = document.ids.size();
    if (before == limit) {
      document.truncated = true;
      break;
    }
    tokenizer.encode(sentence.text, document.ids,
                     max_tokens > 0 ? limit - before + 1 : text::Tokenizer::kNoLimit);
    if (document.ids.size() > limit) {
      document.ids.resize(limit);
      document.truncated = true;
    }
    if (document.ids.size() == before) continue;
    document.lengths.push_back(static_cast<std::int32_t>(document.ids.size() - before));
    document.sentences.push_back(sentence);
  }
  return document;
}

const PairEncoding& sentence_pairs() {
  static const PairEncoding encoding{
      .name = "sentences 1",  // a new number if the rules of sentences change
      .most_target_id = INT32_MAX,
      .target_is_text = false,
      .encode = encode};
  return encoding;
}

void SentenceBatch::add(const SentenceDocument& document) {
  documents.add(document.ids);
  for (std::size_t s = 0; s < document.sentences.size(); ++s) {
    tokens.push_back(tokens.back() + document.lengths[s]);
    kinds.push_back(document.sentences[s].kind);
  }
  sentences.push_back(std::ssize(kinds));
}

SentenceBatch gather_sentences(const PairCorpus& corpus, std::span<const std::int64_t> rows) {
  SentenceBatch batch;
  batch.documents = data::gather(corpus.source, rows);
  for (const auto row : rows) {
    for (const auto& sentence : annotations_of(corpus, row)) {
      batch.tokens.push_back(batch.tokens.back() + sentence.tokens);
      batch.kinds.push_back(static_cast<text::SentenceKind>(sentence.kind));
      batch.oracle.push_back(static_cast<float>(sentence.oracle));
      batch.gain.push_back(static_cast<float>(sentence.gain) / SentenceAnnotation::kMostGain);
    }
    batch.sentences.push_back(std::ssize(batch.kinds));
  }
  return batch;
}

}  // namespace fastformer::summarization

#include "fastformer/summarization/evaluation.h"

#include <array>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <ostream>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/format.h"
#include "fastformer/base/json_text.h"
#include "fastformer/base/random.h"
#include "fastformer/data/batch_plan.h"
#include "fastformer/metrics/item_results.h"
#include "fastformer/metrics/rouge/extractive.h"
#include "fastformer/metrics/rouge/rouge.h"
#include "fastformer/metrics/rouge/rouge_words.h"
#include "fastformer/text/document_sentences.h"
#include "fastformer/text/one_line.h"

namespace fastformer::summarization {
namespace {

constexpr std::size_t kSentences = 3;

// The sentences of a document from which a summary may be made, one line each.
std::vector<std::string> summary_sentences(std::string_view document) {
  const auto all = text::document_sentences(document);
  std::vector<std::string> sentences;
  for (const auto sentence : text::text_sentences(all)) {
    sentences.push_back(text::in_one_line(std::array{all[sentence].text}));
  }
  return sentences;
}

using Sentences = std::span<const std::string_view>;
using Choice = std::function<std::vector<std::size_t>(std::size_t i, Sentences sentences,
                                                      std::string_view reference)>;

SummaryRow extractive_row(const std::string& name, std::span<const TextPair> texts,
                          const Choice& choose) {
  const auto author = [&](std::size_t i, const TextPair& pair) {
    const auto lines = summary_sentences(pair.source);
    const std::vector<std::string_view> sentences(lines.begin(), lines.end());
    return metrics::join_sentences(sentences, choose(i, sentences, pair.target));
  };
  return judge(name, texts, author).row;
}

double mean_words_of_references(std::span<const TextPair> texts) {
  SummaryMeasures measures;
  double words = 0;
  for (const auto& pair : texts) {
    words += static_cast<double>(
        measures.for_reference(pair.target).meter.measure({}, pair.target).summary_words);
  }
  return words / static_cast<double>(texts.size());
}

// As many first sentences as have the number of words that is nearest to `words`; at least one.
std::vector<std::size_t> lead_of_length(Sentences sentences, double words,
                                        metrics::SummaryMeter& meter) {
  double taken = 0;
  std::size_t count = 0;
  for (; count < sentences.size(); ++count) {
    const auto more = static_cast<double>(meter.measure({}, sentences[count]).summary_words);
    if (count > 0 && std::abs(taken + more - words) > std::abs(taken - words)) break;
    taken += more;
  }
  return metrics::lead_sentences(sentences.size(), count);
}

void add_baselines(std::span<const TextPair> texts, std::vector<SummaryRow>& rows) {
  for (const std::size_t count : {std::size_t{1}, kSentences}) {
    rows.push_back(extractive_row("lead-" + std::to_string(count), texts,
                                  [&](std::size_t, Sentences sentences, std::string_view) {
                                    return metrics::lead_sentences(sentences.size(), count);
                                  }));
  }
  const auto words = mean_words_of_references(texts);
  SummaryMeasures measures;
  rows.push_back(extractive_row(
      "lead-length", texts, [&](std::size_t, Sentences sentences, std::string_view reference) {
        return lead_of_length(sentences, words, measures.for_reference(reference).meter);
      }));
  rows.push_back(
      extractive_row("random-3", texts, [](std::size_t i, Sentences sentences, std::string_view) {
        return metrics::random_sentences(sentences.size(), kSentences, base::mix64(i + 1));
      }));
  rows.push_back(extractive_row(
      "oracle-3", texts, [](std::size_t, Sentences sentences, std::string_view reference) {
        const auto tokens = metrics::rouge_tokens_of(reference);
        return metrics::ExtractiveOracle(metrics::has_stems(tokens), tokens)
            .choose(sentences, reference, kSentences);
      }));
}

nlohmann::ordered_json to_json(const SummaryRow& row) {
  return {{"name", row.name},
          {"rouge_1", row.rouge_1},
          {"rouge_2", row.rouge_2},
          {"rouge_l", row.rouge_l},
          {"rouge_lsum", row.rouge_lsum},
          {"words", row.words},
          {"novel_pairs", row.novel_pairs},
          {"repeated_triples", row.repeated_triples}};
}

metrics::ItemScores item_scores(const Evaluation& evaluation, std::span<const TextPair> texts) {
  metrics::ItemScores items{.metrics = {"rouge_1", "rouge_2", "rouge_l", "rouge_lsum"}};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto& rouge = evaluation.rouge[i];
    items.add(base::fnv1a(texts[i].target, base::fnv1a("\n", base::fnv1a(texts[i].source))),
              {rouge.rouge1.f, rouge.rouge2.f, rouge.rouge_l.f, rouge.rouge_lsum.f});
  }
  return items;
}

}  // namespace

double mean_over(const PairCorpus& pairs,
                 const std::function<BatchLoss(std::span<const std::int64_t> rows)>& loss_of) {
  if (pairs.size() == 0) throw std::invalid_argument("there is no pair to evaluate");
  const data::BatchConfig batches{.batch_by = data::BatchUnit::kTokens, .batch_tokens = 16384};
  double sum = 0;
  std::int64_t terms = 0;
  for (const auto& rows : data::BatchPlan(pairs.lengths(), batches).in_order()) {
    const auto loss = loss_of(rows);
    if (loss.terms == 0) continue;
    sum += loss.mean * static_cast<double>(loss.terms);
    terms += loss.terms;
  }
  return terms > 0 ? sum / static_cast<double>(terms) : 0;
}

JudgedSummaries judge(const std::string& name, std::span<const TextPair> texts,
                      const SummaryAuthor& author) {
  JudgedSummaries judged{.row = {.name = name}, .rouge = {}};
  auto& row = judged.row;
  SummaryMeasures measures;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    auto& measure = measures.for_reference(texts[i].target);
    const auto summary = author(i, texts[i]);
    const auto& rouge = judged.rouge.emplace_back(measure.scorer.score(summary, texts[i].target));
    const auto statistics = measure.meter.measure(texts[i].source, summary);
    row.rouge_1 += rouge.rouge1.f;
    row.rouge_2 += rouge.rouge2.f;
    row.rouge_l += rouge.rouge_l.f;
    row.rouge_lsum += rouge.rouge_lsum.f;
    row.words += static_cast<double>(statistics.summary_words);
    row.novel_pairs += statistics.ngrams[1].novel;
    row.repeated_triples += statistics.ngrams[2].repeated;
  }
  const auto count = static_cast<double>(texts.size());
  for (auto* value : {&row.rouge_1, &row.rouge_2, &row.rouge_l, &row.rouge_lsum, &row.novel_pairs,
                      &row.repeated_triples}) {
    *value /= count;
  }
  row.words /= count;
  return judged;
}

metrics::Scores rouge_scores(const SummaryRow& row) {
  return {{"rouge_1", row.rouge_1},
          {"rouge_2", row.rouge_2},
          {"rouge_l", row.rouge_l},
          {"rouge_lsum", row.rouge_lsum}};
}

Evaluation evaluate_summaries(std::vector<std::string> summaries, double loss,
                              std::span<const TextPair> texts) {
  if (summaries.size() != texts.size()) {
    throw std::invalid_argument(std::to_string(summaries.size()) + " summaries, but " +
                                std::to_string(texts.size()) + " texts; expected one each");
  }
  Evaluation evaluation{.scores = {}, .summaries = std::move(summaries), .rouge = {}, .rows = {}};
  auto own = judge("model", texts,
                   [&](std::size_t i, const TextPair&) { return evaluation.summaries[i]; });
  evaluation.scores = rouge_scores(own.row);
  evaluation.scores.insert(evaluation.scores.begin(), {"loss", loss});
  evaluation.rows.push_back(std::move(own.row));
  evaluation.rouge = std::move(own.rouge);
  add_baselines(texts, evaluation.rows);
  return evaluation;
}

std::string evaluation_table(const Evaluation& evaluation) {
  std::string table =
      "             ROUGE-1  ROUGE-2  ROUGE-L  ROUGE-Lsum  words  new pairs  repeated triples\n";
  for (const auto& row : evaluation.rows) {
    table += base::format("%-11s  %7.4f  %7.4f  %7.4f  %10.4f  %5.1f  %9.4f  %16.4f\n",
                          row.name.c_str(), row.rouge_1, row.rouge_2, row.rouge_l, row.rouge_lsum,
                          row.words, row.novel_pairs, row.repeated_triples);
  }
  return table + base::format("loss %.4f   pairs %zu\n",
                              metrics::score_of(evaluation.scores, "loss"),
                              evaluation.summaries.size());
}

std::string evaluation_json(const Evaluation& evaluation) {
  nlohmann::ordered_json json = {{"loss", metrics::score_of(evaluation.scores, "loss")}};
  for (const auto& row : evaluation.rows) json["rows"].push_back(to_json(row));
  return json.dump(2);
}

train::TestReport write_evaluation(const Evaluation& evaluation, std::span<const TextPair> texts,
                                   const std::filesystem::path& folder) {
  base::write_file_atomically(folder / "test.json", evaluation_json(evaluation) + "\n");
  base::write_file_atomically(folder / "test_summaries.jsonl", [&](std::ostream& out) {
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const nlohmann::ordered_json line = {{"summary", evaluation.summaries[i]},
                                           {"reference", texts[i].target}};
      out << base::json_text(line) << '\n';
    }
  });
  metrics::write_item_scores(folder / metrics::kItemScoresFile, item_scores(evaluation, texts));
  train::TestReport report{.items = std::ssize(texts),
                           .scores = evaluation.scores,
                           .baselines = {},
                           .table = evaluation_table(evaluation)};
  for (std::size_t i = 1; i < evaluation.rows.size(); ++i) {
    report.baselines.push_back({evaluation.rows[i].name, rouge_scores(evaluation.rows[i])});
  }
  return report;
}

}  // namespace fastformer::summarization

#include "fastformer/summarization/evaluation.h"

#include <c10/core/GradMode.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <ostream>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/format.h"
#include "fastformer/base/json_text.h"
#include "fastformer/base/out_of_memory.h"
#include "fastformer/base/random.h"
#include "fastformer/data/batch_plan.h"
#include "fastformer/metrics/rouge/extractive.h"
#include "fastformer/metrics/rouge/rouge.h"
#include "fastformer/summarization/summary_writer.h"
#include "fastformer/text/sentences.h"

namespace fastformer::summarization {
namespace {

constexpr std::size_t kSentences = 3;
const data::BatchConfig kBatches{.batch_by = data::BatchUnit::kTokens, .batch_tokens = 16384};

// Makes a summary of pair i.
using Author = std::function<std::string(std::size_t i, const TextPair& pair)>;

struct Judged {
  SummaryRow row;
  std::vector<metrics::RougeScores> rouge;  ///< of each pair
};

Judged judge(const std::string& name, std::span<const TextPair> texts, const Author& author) {
  Judged judged{.row = {.name = name}, .rouge = {}};
  auto& row = judged.row;
  metrics::RougeScorer scorer(/*stem=*/true);
  metrics::SummaryMeter meter;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto summary = author(i, texts[i]);
    const auto& rouge = judged.rouge.emplace_back(scorer.score(summary, texts[i].target));
    const auto statistics = meter.measure(texts[i].source, summary);
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
    *value *= 100 / count;
  }
  row.words /= count;
  return judged;
}

SummaryRow extractive_row(const std::string& name, std::span<const TextPair> texts,
                          const std::function<std::vector<std::size_t>(
                              std::size_t i, std::span<const std::string_view> sentences,
                              std::string_view reference)>& choose) {
  const auto author = [&](std::size_t i, const TextPair& pair) {
    const auto sentences = text::split_sentences(pair.source);
    return metrics::join_sentences(sentences, choose(i, sentences, pair.target));
  };
  return judge(name, texts, author).row;
}

void add_baselines(std::span<const TextPair> texts, std::vector<SummaryRow>& rows) {
  using Sentences = std::span<const std::string_view>;
  for (const std::size_t count : {std::size_t{1}, kSentences}) {
    rows.push_back(extractive_row("lead-" + std::to_string(count), texts,
                                  [&](std::size_t, Sentences sentences, std::string_view) {
                                    return metrics::lead_sentences(sentences.size(), count);
                                  }));
  }
  rows.push_back(
      extractive_row("random-3", texts, [](std::size_t i, Sentences sentences, std::string_view) {
        return metrics::random_sentences(sentences.size(), kSentences, base::mix64(i + 1));
      }));
  metrics::ExtractiveOracle oracle(/*stem=*/true);
  rows.push_back(extractive_row("oracle-3", texts,
                                [&](std::size_t, Sentences sentences, std::string_view reference) {
                                  return oracle.choose(sentences, reference, kSentences);
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

}  // namespace

double mean_loss(const SummarizerModel& model, const PairCorpus& pairs) {
  if (pairs.size() == 0) throw std::invalid_argument("there is no pair to evaluate");
  const c10::NoGradGuard no_gradients;
  double sum = 0;
  std::int64_t tokens = 0;
  for (const auto& rows : data::BatchPlan(pairs.lengths(), kBatches).in_order()) {
    const auto batch = gather(pairs, rows);
    const auto count = batch.target.tokens() + batch.target.size();  // each has an end
    const auto loss = base::naming_memory(
        [&] { return batch.source.description(); },
        [&] { return model.loss(batch, /*label_smoothing=*/0, /*training=*/false); });
    sum += loss.item<double>() * static_cast<double>(count);
    tokens += count;
  }
  return sum / static_cast<double>(tokens);
}

std::vector<std::string> summarize(const SummarizerModel& model, const text::Tokenizer& tokenizer,
                                   const SearchConfig& search, const data::Corpus& documents) {
  std::vector<std::string> summaries(static_cast<std::size_t>(documents.size()));
  const std::vector<std::int32_t> banned = {tokenizer.pad_id(), tokenizer.unknown_id()};
  for (const auto& rows : data::BatchPlan(documents.lengths(), kBatches).in_order()) {
    const auto batch = data::gather(documents, rows);
    const auto texts = write_summaries(model, batch.ids, nn::Offsets(batch.offsets), search,
                                       {.banned = banned, .numbers = rows});
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (texts[i].empty()) continue;
      summaries[static_cast<std::size_t>(rows[i])] = tokenizer.decode(texts[i].front().tokens);
    }
  }
  return summaries;
}

metrics::Scores rouge_scores(const SummaryRow& row) {
  return {{"rouge_1", row.rouge_1 / 100},
          {"rouge_2", row.rouge_2 / 100},
          {"rouge_l", row.rouge_l / 100},
          {"rouge_lsum", row.rouge_lsum / 100}};
}

Evaluation evaluate(const SummarizerModel& model, const text::Tokenizer& tokenizer,
                    const SearchConfig& search, const PairCorpus& pairs,
                    std::span<const TextPair> texts) {
  if (static_cast<std::size_t>(pairs.size()) != texts.size()) {
    throw std::invalid_argument("the corpus has " + std::to_string(pairs.size()) + " pairs, but " +
                                std::to_string(texts.size()) + " texts were given");
  }
  Evaluation evaluation;
  const auto loss = mean_loss(model, pairs);
  evaluation.summaries = summarize(model, tokenizer, search, pairs.source);
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
      "            ROUGE-1  ROUGE-2  ROUGE-L  ROUGE-Lsum  words  new pairs  repeated triples\n";
  for (const auto& row : evaluation.rows) {
    table += base::format("%-10s  %7.2f  %7.2f  %7.2f  %10.2f  %5.1f  %8.1f%%  %15.1f%%\n",
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

void write_evaluation(const Evaluation& evaluation, std::span<const TextPair> texts,
                      const std::filesystem::path& folder) {
  base::write_file_atomically(folder / "test.json", evaluation_json(evaluation) + "\n");
  base::write_file_atomically(folder / "test_summaries.jsonl", [&](std::ostream& out) {
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const nlohmann::ordered_json line = {{"summary", evaluation.summaries[i]},
                                           {"reference", texts[i].target}};
      out << base::json_text(line) << '\n';
    }
  });
}

}  // namespace fastformer::summarization

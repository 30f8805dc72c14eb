#include "fastformer/summarization/evaluation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/format.h"
#include "fastformer/data/batch_plan.h"
#include "fastformer/metrics/rouge/rouge.h"
#include "fastformer/summarization/abstractive/decoding.h"
#include "fastformer/summarization/abstractive/summary_writer.h"
#include "fastformer/summarization/dataset.h"
#include "fastformer/text/tokenizer.h"
#include "support/temporary_folder.h"

namespace fastformer::summarization {
namespace {

ModelConfig tiny() {
  ModelConfig config;
  config.source.encoder.width = 8;
  config.source.encoder.heads = 2;
  config.source.encoder.layers = 1;
  config.source.encoder.ffn_width = 8;
  config.source.max_positions = 0;
  config.source.initial_deviation = 0.3;
  config.source.embedding_deviation = 1;
  config.decoder.layers = 1;
  config.decoder.ffn_width = 8;
  return config;
}

/// Pairs of texts, their tokens, and a model that has learned nothing.
class Evaluated {
 public:
  explicit Evaluated(const std::vector<std::pair<std::string, std::string>>& pairs,
                     at::ScalarType dtype = at::kFloat) {
    std::string lines;
    for (const auto& [source, target] : pairs) {
      lines += nlohmann::json({{"source", source}, {"target", target}}).dump() + "\n";
    }
    const std::vector<std::string> entries = {folder_.write("pairs.jsonl", lines).string()};
    tokenizer_ = text::make_tokenizer({.minimum_count = 1}, [&](const auto& use) {
      for (const auto& [source, target] : pairs) {
        use(source);
        use(target);
      }
    });
    DataConfig config;
    config.max_source_tokens = 0;
    pairs_ = read_pairs(config, entries, *tokenizer_);
    texts_ = read_texts(config, entries, pairs_);
    model_ = std::make_unique<SummarizerModel>(tiny(), vocabulary_of(*tokenizer_), 3, dtype);
    search_.method = SearchMethod::kGreedy;
    search_.max_tokens = 6;
  }

  const SummarizerModel& model() const { return *model_; }
  const PairCorpus& pairs() const { return pairs_; }
  std::span<const TextPair> texts() const { return texts_; }
  const testing::TemporaryFolder& folder() const { return folder_; }
  void write_by(SearchMethod method) { search_.method = method; }
  std::string summary_alone(std::int64_t row) const {
    const std::vector<std::int64_t> rows = {row};
    const auto batch = data::gather(pairs_.source, rows);
    const auto texts = write_summaries(
        *model_, batch.ids, nn::Offsets(batch.offsets), search_,
        {.banned = {tokenizer_->pad_id(), tokenizer_->unknown_id()}, .numbers = rows});
    return tokenizer_->decode(texts[0].front().tokens);
  }
  std::vector<std::string> summaries() const {
    return summarize(*model_, *tokenizer_, search_, pairs_.source);
  }
  Evaluation evaluation() const { return evaluated(texts_); }
  Evaluation evaluated(std::span<const TextPair> texts) const {
    return evaluate(*model_, *tokenizer_, search_, pairs_, texts);
  }

 private:
  testing::TemporaryFolder folder_;
  std::unique_ptr<text::Tokenizer> tokenizer_;
  PairCorpus pairs_;
  std::vector<TextPair> texts_;
  std::unique_ptr<SummarizerModel> model_;
  SearchConfig search_;
};

// The second document alone is more than half of what a batch takes, the last is the shortest.
std::vector<std::pair<std::string, std::string>> pairs_of_many_lengths() {
  std::string page;
  for (int i = 0; i < 9000; ++i) page += base::format("w%d ", i % 40);
  return {{"w1 w2 w3 w4", "w2"},
          {page, "w5 w6 w7 w8"},
          {"w9 w9", "w1 w9 w2 w3 w4 w5"},
          {page + "w3", "w4 w4"},
          {"w7", "w8 w7 w6"}};
}

// Four sentences; the reference of the first is its second, that of the second its first.
const std::vector<std::pair<std::string, std::string>> kSentences = {
    {"the cat sat . dogs bark loudly . birds sing . fish swim .", "dogs bark loudly ."},
    {"rain fell on monday . it was cold . nobody came . we left .", "rain fell on monday ."}};

TEST(MeanLoss, IsThatOfAllTokensNotOfBatchesOrPairs) {
  const Evaluated evaluated(pairs_of_many_lengths(), at::kDouble);
  double sum = 0;
  std::int64_t tokens = 0;
  for (std::int64_t row = 0; row < 5; ++row) {
    const auto batch = gather(evaluated.pairs(), std::vector<std::int64_t>{row});
    const auto count = static_cast<std::int64_t>(batch.target.ids.size()) + 1;
    sum += static_cast<double>(count) * evaluated.model().loss(batch, 0, false).item<double>();
    tokens += count;
  }
  EXPECT_EQ(tokens, 1 + 4 + 6 + 2 + 3 + 5);
  EXPECT_NEAR(mean_loss(evaluated.model(), evaluated.pairs()), sum / static_cast<double>(tokens),
              1e-9);
}

TEST(MeanLoss, NeedsAPair) {
  const SummarizerModel model(tiny(), {10, 0, 1}, 1);
  EXPECT_MENTIONS(testing::error_of([&] { mean_loss(model, {}); }), "no pair");
}

TEST(Summarize, KeepsTheOrderOfTheCorpus) {
  Evaluated evaluated(pairs_of_many_lengths(), at::kDouble);
  for (const auto method : {SearchMethod::kGreedy, SearchMethod::kSample}) {
    evaluated.write_by(method);
    const auto summaries = evaluated.summaries();
    ASSERT_EQ(summaries.size(), 5u);
    for (std::int64_t row = 0; row < 5; ++row) {
      EXPECT_EQ(summaries[static_cast<std::size_t>(row)], evaluated.summary_alone(row))
          << base::word_of(method) << " " << row;
    }
  }
}

TEST(Summarize, WordsThatMayRepeatAreThoseOfTheVocabulary) {
  const auto tokenizer = text::make_tokenizer(
      {.minimum_count = 1}, [](const auto& use) { use("oil prices fall , fall and fall"); });
  SearchConfig config;
  config.repeatable = {",", "fall"};
  const auto options = writing_options(*tokenizer, config);
  EXPECT_EQ(std::ssize(options.continues), tokenizer->vocabulary_size());
  for (const auto* word : {",", "fall"}) {
    std::vector<std::int32_t> ids;
    tokenizer->encode(word, ids);
    EXPECT_NE(std::ranges::find(options.repeatable, ids), options.repeatable.end()) << word;
  }
  config.repeatable = {"tin"};
  EXPECT_MENTIONS(testing::error_of([&] { writing_options(*tokenizer, config); }), "'tin'",
                  "search.repeatable");
}

TEST(SummaryEvaluation, ScoresAreThoseOfTheWrittenSummaries) {
  const Evaluated evaluated(kSentences);
  const auto evaluation = evaluated.evaluation();
  ASSERT_EQ(evaluation.summaries, evaluated.summaries());
  metrics::RougeScorer scorer(/*stem=*/true);
  double rouge_1 = 0, rouge_lsum = 0;
  for (std::size_t i = 0; i < 2; ++i) {
    const auto scores = scorer.score(evaluation.summaries[i], kSentences[i].second);
    rouge_1 += scores.rouge1.f / 2;
    rouge_lsum += scores.rouge_lsum.f / 2;
  }
  EXPECT_NEAR(metrics::score_of(evaluation.scores, "rouge_1"), rouge_1, 1e-12);
  EXPECT_NEAR(metrics::score_of(evaluation.scores, "rouge_lsum"), rouge_lsum, 1e-12);
  EXPECT_EQ(metrics::score_of(evaluation.scores, "loss"),
            mean_loss(evaluated.model(), evaluated.pairs()));
  EXPECT_EQ(evaluation.rows[0].name, "model");
  EXPECT_NEAR(evaluation.rows[0].rouge_1, rouge_1, 1e-12);
  ASSERT_EQ(evaluation.rouge.size(), 2u);
  EXPECT_NEAR((evaluation.rouge[0].rouge1.f + evaluation.rouge[1].rouge1.f) / 2, rouge_1, 1e-12);
  EXPECT_NEAR(metrics::score_of(rouge_scores(evaluation.rows[0]), "rouge_lsum"), rouge_lsum, 1e-12);
}

TEST(SummaryEvaluation, BaselinesAreWhatTheirNamesSay) {
  const auto rows = Evaluated(kSentences).evaluation().rows;
  ASSERT_EQ(rows.size(), 6u);
  const auto &lead_1 = rows[1], &lead_3 = rows[2], &lead_length = rows[3], &random = rows[4],
             &oracle = rows[5];
  // One of two references is the first sentence, and the other shares no word with it.
  EXPECT_EQ(lead_1.name, "lead-1");
  EXPECT_NEAR(lead_1.rouge_1, 0.5, 1e-9);
  EXPECT_NEAR(lead_1.rouge_2, 0.5, 1e-9);
  EXPECT_NEAR(lead_1.words, 3.5, 1e-9);
  EXPECT_EQ(lead_1.novel_pairs, 0);
  EXPECT_EQ(lead_1.repeated_triples, 0);
  // 3 of 8 words against 3, 4 of 9 against 4; pairs: 2 of 7 against 2, 3 of 8 against 3.
  EXPECT_EQ(lead_3.name, "lead-3");
  EXPECT_NEAR(lead_3.rouge_1, 0.5 * (6.0 / 11 + 8.0 / 13), 1e-9);
  EXPECT_NEAR(lead_3.rouge_2, 0.5 * (4.0 / 9 + 6.0 / 11), 1e-9);
  EXPECT_NEAR(lead_3.rouge_l, lead_3.rouge_1, 1e-9);
  EXPECT_NEAR(lead_3.words, 8.5, 1e-9);
  // The references have 3 and 4 words, and so do the first sentences.
  EXPECT_EQ(lead_length.name, "lead-length");
  EXPECT_NEAR(lead_length.words, 3.5, 1e-9);
  EXPECT_EQ(random.name, "random-3");
  EXPECT_GT(random.words, 6);
  EXPECT_LT(random.words, 10);
  EXPECT_EQ(oracle.name, "oracle-3");
  for (const double score : {oracle.rouge_1, oracle.rouge_2, oracle.rouge_l, oracle.rouge_lsum}) {
    EXPECT_NEAR(score, 1, 1e-9);
  }
}

TEST(SummaryEvaluation, IsToldAsTableAsJsonAndInFiles) {
  const Evaluated evaluated(kSentences);
  const auto evaluation = evaluated.evaluation();
  EXPECT_MENTIONS(evaluation_table(evaluation), "ROUGE-Lsum", "model", "lead-1", "0.5000",
                  "oracle-3", "1.0000", "pairs 2");
  const auto answer = nlohmann::json::parse(evaluation_json(evaluation));
  EXPECT_EQ(answer["rows"].size(), 6u);
  EXPECT_EQ(answer["rows"][5]["name"], "oracle-3");
  EXPECT_EQ(answer["loss"], metrics::score_of(evaluation.scores, "loss"));

  write_evaluation(evaluation, evaluated.texts(), evaluated.folder().path());
  EXPECT_EQ(base::read_file(evaluated.folder() / "test.json"), evaluation_json(evaluation) + "\n");
  std::istringstream lines(base::read_file(evaluated.folder() / "test_summaries.jsonl"));
  for (std::size_t i = 0; i < 2; ++i) {
    std::string line;
    ASSERT_TRUE(std::getline(lines, line));
    EXPECT_EQ(nlohmann::json::parse(line), nlohmann::json({{"summary", evaluation.summaries[i]},
                                                           {"reference", kSentences[i].second}}));
  }
  EXPECT_EQ(lines.peek(), EOF);
}

TEST(SummaryEvaluation, RefusesTextsOfAnotherCorpus) {
  const Evaluated evaluated(kSentences);
  EXPECT_MENTIONS(testing::error_of([&] { evaluated.evaluated(evaluated.texts().first(1)); }),
                  "2 summaries", "1 texts");
}

}  // namespace
}  // namespace fastformer::summarization

#include "fastformer/metrics/rouge/extractive.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "fastformer/nn/offsets.h"
#include "fastformer/summarization/extractive/document.h"
#include "fastformer/summarization/extractive/extractive_model.h"
#include "fastformer/summarization/extractive/extractive_summarizer.h"
#include "fastformer/summarization/extractive/scored_document.h"
#include "fastformer/summarization/training.h"
#include "support/temporary_folder.h"

namespace fastformer::summarization {
namespace {

using text::SentenceKind;

constexpr const char* kDocument =
    "Report\n\nMarkets were calm. Oil falls again by three percent. That was all.\n";
constexpr const char* kSummary = "oil falls by three percent";

std::unique_ptr<text::Tokenizer> words_of(const std::vector<std::string>& texts) {
  return text::make_tokenizer({.minimum_count = 1}, [&](const auto& use) {
    for (const auto& text : texts) use(text);
  });
}

ModelConfig tiny_extractive() {
  ModelConfig config{.kind = SummaryKind::kExtractive};
  config.source.encoder.width = 16;
  config.source.encoder.heads = 2;
  config.source.encoder.layers = 1;
  config.source.encoder.ffn_width = 16;
  config.source.encoder.dropout = 0;
  config.source.embedding_dropout = 0;
  config.source.max_positions = 0;
  config.source.initial_deviation = 0.3;
  config.source.embedding_deviation = 0.5;
  return config;
}

// Documents whose summary is the sentence about oil or the team.
std::vector<TextPair> small_pairs(int count) {
  std::vector<TextPair> pairs;
  for (int i = 0; i < count; ++i) {
    const auto n = std::to_string(i % 9);
    const bool oil = i % 2 == 0;
    const std::string told = oil ? "Oil falls " + n + " times." : "Team wins " + n + " times.";
    const std::string other = oil ? "Markets were calm." : "The crowd cheered.";
    TextPair pair;
    pair.source = i % 3 == 0 ? told + " " + other + " That was all today."
                             : other + " That was all today. " + told;
    pair.target = (oil ? "oil falls " : "team wins ") + n + " times";
    pairs.push_back(pair);
  }
  return pairs;
}

Recipe small_recipe() {
  Recipe recipe;
  recipe.model = tiny_extractive();
  recipe.data.max_source_tokens = 0;
  recipe.data.validation_fraction = 0.2;
  recipe.text.minimum_count = 1;
  recipe.train.metric = "rouge";
  recipe.train.epochs = 12;
  recipe.train.learning_rate = 0.01;
  recipe.train.threads = 1;
  recipe.batch.batch_size = 8;
  return recipe;
}

TEST(ExtractiveData, AnnotatesEachSentence) {
  const auto tokenizer = words_of({kDocument, kSummary});
  DataConfig config;
  config.max_source_tokens = 0;
  TextPair pair;
  pair.source = kDocument;
  pair.target = kSummary;
  const auto encoded = sentence_pairs().encode(*tokenizer, config, pair);
  ASSERT_TRUE(encoded.has_value());
  std::vector<std::int32_t> ids;
  for (const auto* part :
       {"Report", "Markets were calm.", "Oil falls again by three percent.", "That was all."}) {
    tokenizer->encode(part, ids);
  }
  EXPECT_EQ(encoded->source.ids, ids);
  const auto& numbers = encoded->target.ids;
  ASSERT_EQ(numbers.size(), 16u);
  EXPECT_EQ(std::vector(numbers.begin(), numbers.begin() + 4),
            (std::vector<std::int32_t>{1, static_cast<int>(SentenceKind::kHeading), 0, 0}));
  EXPECT_EQ(numbers[8], 7);  // with its dot
  EXPECT_EQ(numbers[10], 1);
  // All five words of the reference, and six in the sentence; three of its five pairs are shared.
  const double pairs_f = 2 * (3.0 / 5) * (3.0 / 4) / (3.0 / 5 + 3.0 / 4);
  const double words_f = 2 * (5.0 / 6) / (5.0 / 6 + 1);
  EXPECT_NEAR(numbers[11] / 10'000.0, (words_f + pairs_f) / 2, 1e-4);
  for (const std::int64_t limit : {5, 6, 7, 12}) {
    config.max_source_tokens = limit;
    const auto cut = sentence_pairs().encode(*tokenizer, config, pair);
    EXPECT_TRUE(cut->source.truncated);
    EXPECT_EQ(std::ssize(cut->source.ids), limit);
    EXPECT_EQ(cut->target.ids.size(), limit == 5 ? 8u : 12u);
  }
  config.max_source_tokens = 0;
  config.min_target_tokens = 9;
  EXPECT_FALSE(sentence_pairs().encode(*tokenizer, config, pair).has_value());
  config.min_target_tokens = 1;
  config.min_source_tokens = 100;
  EXPECT_FALSE(sentence_pairs().encode(*tokenizer, config, pair).has_value());
}

TEST(ExtractiveData, RefusesAnnotationsOfOtherDocuments) {
  const auto corpus_of = [](const std::vector<std::int32_t>& annotations) {
    data::CorpusWriter source, target;
    source.add(std::vector<std::int32_t>{1, 2, 3}, 0);
    target.add(annotations, 0);
    return PairCorpus{source.finish(), target.finish()};
  };
  const std::vector<std::int64_t> rows = {0};
  EXPECT_EQ(gather_sentences(corpus_of({2, 0, 1, 5000, 1, 1, 0, 0}), rows).tokens,
            (std::vector<std::int64_t>{0, 2, 3}));
  for (const std::vector<std::int32_t>& wrong : {std::vector<std::int32_t>{2, 0, 1, 5000},
                                                 {3, 0, 1},
                                                 {3, 4, 0, 0},
                                                 {3, 0, 2, 0},
                                                 {3, 0, 0, 10'001},
                                                 {4, 0, 0, 0},
                                                 {0, 0, 0, 0, 3, 0, 0, 0}}) {
    EXPECT_THROW(gather_sentences(corpus_of(wrong), rows), std::invalid_argument);
  }
}

SentenceBatch batch_of(const text::Tokenizer& tokenizer, const std::vector<std::string>& texts) {
  SentenceBatch batch;
  for (const auto& text : texts) batch.add(read_document(tokenizer, text, 0));
  return batch;
}

TEST(ExtractiveModel, ScoresEachDocumentAsItWouldAlone) {
  const std::vector<std::string> texts = {kDocument, "", "One sentence.", "A\n\nB. C! D?",
                                          "the same the same the same. The other the."};
  const auto tokenizer = words_of(texts);
  const ExtractiveModel model(tiny_extractive(), tokenizer->vocabulary_size(), 3);
  std::vector<double> alone;
  for (const auto& text : texts) {
    if (text.empty()) continue;
    const auto scores = model.scores(batch_of(*tokenizer, {text}));
    alone.insert(alone.end(), scores.begin(), scores.end());
  }
  const auto together = model.scores(batch_of(*tokenizer, texts));
  ASSERT_EQ(together.size(), alone.size());
  for (std::size_t s = 0; s < alone.size(); ++s) EXPECT_NEAR(together[s], alone[s], 1e-6) << s;
  EXPECT_EQ(std::set<double>(together.begin(), together.end()).size(), together.size());
}

TEST(ExtractiveModel, TouchesTheRowsThatItSays) {
  const auto tokenizer = words_of({kDocument, "other words"});
  auto config = tiny_extractive();
  config.source.bigram_buckets = 11;
  const ExtractiveModel model(config, tokenizer->vocabulary_size(), 1);
  auto batch = batch_of(*tokenizer, {kDocument, "Oil falls."});
  batch.oracle.assign(batch.kinds.size(), 1);
  batch.gain.assign(batch.kinds.size(), 0.5F);
  model.loss(batch, 0.3, /*training=*/true).backward();
  const auto sparse = model.row_sparse_parameters();
  std::set<std::string> touched;
  for (const auto& [name, rows] : model.touched_rows(batch)) {
    const auto gradient = model.parameters().at(name).grad().coalesce();
    EXPECT_TRUE(at::equal(gradient.indices()[0], rows)) << name;
    touched.insert(name);
  }
  EXPECT_EQ(touched, sparse);
  for (const auto& [name, parameter] : model.parameters()) {
    const bool is_sparse = parameter.grad().defined() && parameter.grad().is_sparse();
    EXPECT_EQ(is_sparse, sparse.contains(name)) << name;
  }
}

TEST(Extractive, LearnsWhichSentenceMatters) {
  const auto pairs = small_pairs(60);
  const auto summarizer = train_extractive(pairs, small_recipe());
  EXPECT_EQ(summarizer.selection().sentences, 1);  // tuned: one sentence is best
  EXPECT_FALSE(summarizer.selection().tune);
  for (const auto& pair : small_pairs(20)) {
    const auto text = summarizer.summarize(pair.source).text;
    EXPECT_TRUE(text.starts_with(pair.target[0] == 'o' ? "Oil falls" : "Team wins")) << text;
  }
}

TEST(Extractive, SavesLoadsAndSummarizesWithinAnyLimit) {
  const testing::TemporaryFolder folder;
  std::string lines;
  for (const auto& pair : small_pairs(40)) {
    lines += R"({"source": ")" + pair.source + R"(", "target": ")" + pair.target + "\"}\n";
  }
  auto recipe = small_recipe();
  recipe.data.train = {folder.write("train.jsonl", lines).string()};
  recipe.data.test = recipe.data.train;
  const auto trained = train_extractive(recipe, folder / "run");
  const auto loaded = ExtractiveSummarizer::load(folder / "run" / "model");
  const std::vector<std::string> documents = {"Oil falls 3 times. Markets were calm. That was all.",
                                              "", " \n "};
  const auto ranked = loaded.rank(documents);
  ASSERT_EQ(ranked.size(), 3u);
  EXPECT_EQ(ranked[0].sentence(1), "Markets were calm.");
  EXPECT_EQ(ranked[0].sentences[0].score, trained.rank(documents)[0].sentences[0].score);
  EXPECT_EQ(ranked[0].summarize({.sentences = 3}).text, documents[0]);
  EXPECT_EQ(ranked[0].summarize({.sentences = 0, .words = 4}).chosen,
            (std::vector<std::size_t>{0}));
  EXPECT_TRUE(ranked[1].summarize({}).text.empty());
  EXPECT_TRUE(ranked[2].sentences.empty());
  EXPECT_THROW(ranked[0].summarize({.sentences = 0}), std::invalid_argument);
  EXPECT_THROW(Summarizer::load(folder / "run" / "model"), std::invalid_argument);
}

TEST(Extractive, ReadsDocumentsOfAnyShape) {
  const auto summarizer = train_extractive(small_pairs(20), [] {
    auto recipe = small_recipe();
    recipe.train.epochs = 1;
    return recipe;
  }());
  std::string unpunctuated;
  for (int i = 0; i < 20'000; ++i) unpunctuated += "word" + std::to_string(i % 700) + " ";
  const std::vector<std::string> documents = {"Just one sentence",
                                              "First\n\nSecond\n\nThird\n",
                                              unpunctuated,
                                              "مرحبا بالعالم. كيف حالك؟ هذا يوم جميل.",
                                              "今天天气很好。我们去公园。然后回家。",
                                              std::string(5000, 'x'),
                                              "- a\n- b\n- c\n",
                                              "One.\r\nTwo.\rThree.",
                                              std::string("A NUL \0 byte. Then more.", 24),
                                              "Broken \xFF\xC3 bytes. Then more."};
  for (const auto& document : summarizer.rank(documents)) {
    const auto summary = document.summarize({.sentences = 2});
    EXPECT_FALSE(summary.text.empty());
    EXPECT_LE(summary.chosen.size(), 2u);
    EXPECT_LE(summary.text.size(), 2 * text::kLongestSentence + 1);
    for (const auto& sentence : document.sentences) {
      EXPECT_TRUE(sentence.score >= 0 && sentence.score <= 1) << sentence.score;
      EXPECT_LT(sentence.begin, sentence.end);
    }
  }
}

TEST(Extractive, RefusesTheFieldsOfTheOtherKind) {
  const auto read = [](const std::vector<std::string>& assignments) {
    return testing::error_of([&] {
      auto tree = base::ConfigTree::from_assignments(assignments,
                                                     {"model", "search", "selection", "train"});
      Recipe::read(tree);
    });
  };
  EXPECT_EQ(read({"model.kind=extractive", "selection.words=50", "train.soft_targets=0.5"}), "");
  EXPECT_NE(read({"model.kind=extractive", "search.beams=2"}).find("search"), std::string::npos);
  EXPECT_NE(read({"selection.words=50"}).find("selection"), std::string::npos);
  EXPECT_NE(read({"train.soft_targets=0.5"}).find("extractive"), std::string::npos);
  EXPECT_NE(read({"model.kind=extractive", "train.label_smoothing=0.1"}).find("abstractive"),
            std::string::npos);
  EXPECT_THROW(train(small_pairs(4), small_recipe()), std::invalid_argument);
}

TEST(Extractive, TuningNeverLowersTheScore) {
  const std::string text =
      "The cat sat on the mat. A dog barked at the cat on the mat. Rain fell. The cat slept there.";
  std::vector<ScoredPair> pairs(1);
  pairs[0].document.sentences = text::document_sentences(text);
  pairs[0].document.scores = {0.9, 0.8, 0.1, 0.3};
  for (const auto* reference : {"the cat sat on the mat", "cat on the mat and a dog barked at it",
                                "the cat slept there while rain fell", "nothing of this"}) {
    pairs[0].reference = reference;
    for (const SelectionConfig& before :
         {SelectionConfig{.sentences = 1}, SelectionConfig{.sentences = 4},
          SelectionConfig{.sentences = 3, .redundancy = Redundancy::kTrigram}}) {
      const auto after = tuned_selection(pairs, before);
      EXPECT_GE(selection_scores(pairs, after).mean(), selection_scores(pairs, before).mean());
      EXPECT_FALSE(after.tune);
    }
  }
  pairs[0].reference = "the cat sat on the mat";
  EXPECT_EQ(tuned_selection(pairs, {}).sentences, 1);
  const auto limited = tuned_selection(pairs, {.sentences = 3, .words = 7});
  EXPECT_GT(limited.words, 0);
  EXPECT_LE(limited.words, 7);
}

}  // namespace
}  // namespace fastformer::summarization

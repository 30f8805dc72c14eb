#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "fastformer/base/model_directory.h"
#include "fastformer/model/classifier_config.h"
#include "fastformer/text/word_tokenizer.h"
#include "runtime/plain_network.h"

namespace fastformer::runtime {

/// Texts with the words of small_vocabulary() and others.
inline const std::vector<std::string> kSampleTexts = {
    "Oil prices fall again", "the team wins the cup", "", "unknown", "prices, prices and a cup!"};

/// Writes a classifier with random parameters; `config` may be any network.
inline void write_random_classifier(const std::filesystem::path& directory,
                                    const model::ClassifierConfig& config,
                                    const std::vector<std::string>& labels) {
  text::TokenizerConfig text;
  text.minimum_count = 1;
  const auto tokenizer = text::WordTokenizer::train(text, [](const auto& use) {
    for (const auto* words : {"oil prices fall again and", "the team wins a cup , !"}) use(words);
  });
  PlainParameters parameters(1);
  const auto vocabulary = tokenizer->vocabulary_size();
  const PlainNetwork network(config, vocabulary, std::ssize(labels), parameters);
  network.logits(std::vector<std::int32_t>{1, 2, 3});
  base::ConfigTree tree;
  tree.write_section("classifier", model::ClassifierLabels{labels, /*max_tokens=*/0});
  tree.write_section("model", config);
  base::write_model_directory(directory, model::kClassifierKind, tree, "# Test\n",
                              [&](const std::filesystem::path& fresh) {
                                parameters.save(fresh / base::kWeightsFile);
                                tokenizer->save(fresh);
                              });
}

inline model::ClassifierConfig small_classifier() {
  model::ClassifierConfig config;
  config.text.encoder.width = 12;
  config.text.encoder.heads = 3;
  config.text.encoder.ffn_width = 10;
  config.text.max_positions = 0;
  config.text.bigram_buckets = 50;
  return config;
}

}  // namespace fastformer::runtime

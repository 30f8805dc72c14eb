#pragma once

#include <filesystem>
#include <memory>

#include "fastformer/base/config_tree.h"
#include "fastformer/text/tokenizer.h"

namespace fastformer::text {

/// Whether the folder contains a tokenizer as saved by Hugging Face's transformers, and not one
/// written by Tokenizer::save.
bool is_bert_folder(const std::filesystem::path& folder);

/// The tokenizer configuration of a BERT model, for the recipe's [text] section of a model that
/// contains BERT, with [CLS] and [SEP] around each text: its vocab.txt or, without one,
/// tokenizer.json, and do_lower_case and strip_accents of its tokenizer_config.json. By default
/// these are as in tokenizer.json, else true and as do_lower_case. Throws std::invalid_argument
/// naming the file that is missing or wrong, and for tokenizers of other kinds, such as Unigram or
/// MeCab.
TokenizerConfig bert_tokenizer_config(const std::filesystem::path& folder);

/// The section [text] of a recipe whose model contains BERT: that of bert_tokenizer_config(), which
/// the section may repeat. Throws std::invalid_argument as bert_tokenizer_config() does, and for a
/// section that tokenizes texts in another way.
TokenizerConfig read_bert_text(const base::ConfigTree& tree, const std::filesystem::path& folder);

/// The tokenizer of a BERT model.
///
///   const auto tokenizer = load_bert_tokenizer("MiniLM");
///   tokenizer->tokens("Oil prices fall");  // [CLS] oil prices fall [SEP]
std::unique_ptr<Tokenizer> load_bert_tokenizer(const std::filesystem::path& folder);

}  // namespace fastformer::text

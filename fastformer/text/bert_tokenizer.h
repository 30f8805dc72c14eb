#pragma once

#include <filesystem>
#include <memory>

#include "fastformer/text/tokenizer.h"

namespace fastformer::text {

/// Whether the folder has a tokenizer as Hugging Face's transformers saves it, and not as
/// Tokenizer::save does.
bool is_bert_folder(const std::filesystem::path& folder);

/// How BERT's tokenizer reads text, with [CLS] and [SEP] around each: its vocab.txt or, where that
/// is missing, tokenizer.json, and do_lower_case and strip_accents of its tokenizer_config.json. By
/// default these are as tokenizer.json says, else true and as do_lower_case. For the recipe's
/// [text] section of a model that begins with BERT. Throws std::invalid_argument naming the file
/// that is missing or wrong, and for tokenizers of other kinds, such as Unigram or MeCab.
TokenizerConfig bert_tokenizer_config(const std::filesystem::path& folder);

/// The tokenizer itself.
///
///   const auto tokenizer = load_bert_tokenizer("MiniLM");
///   tokenizer->tokens("Oil prices fall");  // [CLS] oil prices fall [SEP]
std::unique_ptr<Tokenizer> load_bert_tokenizer(const std::filesystem::path& folder);

}  // namespace fastformer::text

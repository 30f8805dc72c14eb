#pragma once

#include <filesystem>
#include <memory>

#include "fastformer/text/tokenizer.h"

namespace fastformer::text {

/// Whether the folder contains the tokenizer of a BERT model as saved by Hugging Face's
/// transformers, with a vocab.txt, and not one written by Tokenizer::save.
bool is_bert_folder(const std::filesystem::path& folder);

/// The tokenizer configuration of a BERT model, for the recipe's [text] section of a model that
/// contains BERT: its vocab.txt, special tokens, and do_lower_case (default: true) and
/// strip_accents (default: do_lower_case) from its optional tokenizer_config.json. Throws
/// std::invalid_argument naming the file that is missing or wrong.
TokenizerConfig bert_tokenizer_config(const std::filesystem::path& folder);

/// The tokenizer of a BERT model.
///
///   const auto tokenizer = load_bert_tokenizer("MiniLM");
///   tokenizer->tokens("Oil prices fall");  // [CLS] oil prices fall [SEP]
std::unique_ptr<Tokenizer> load_bert_tokenizer(const std::filesystem::path& folder);

}  // namespace fastformer::text

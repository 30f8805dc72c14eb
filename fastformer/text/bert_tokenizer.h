#pragma once

#include <filesystem>
#include <memory>

#include "fastformer/text/tokenizer.h"

namespace fastformer::text {

/// Whether the folder is that of a BERT model as Hugging Face's transformers saves it, with a
/// vocab.txt, and not one that Tokenizer::save wrote.
bool is_bert_folder(const std::filesystem::path& folder);

/// How BERT's tokenizer reads text, with [CLS] and [SEP] around each: its vocab.txt, and
/// do_lower_case (true if absent) and strip_accents (as do_lower_case) of its
/// tokenizer_config.json, a file that may be missing. For the recipe's [text] section of a model
/// that begins with BERT. Throws std::invalid_argument naming the file that is missing or wrong.
TokenizerConfig bert_tokenizer_config(const std::filesystem::path& folder);

/// The tokenizer itself.
///
///   const auto tokenizer = load_bert_tokenizer("MiniLM");
///   tokenizer->tokens("Oil prices fall");  // [CLS] oil prices fall [SEP]
std::unique_ptr<Tokenizer> load_bert_tokenizer(const std::filesystem::path& folder);

}  // namespace fastformer::text

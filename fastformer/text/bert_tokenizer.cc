#include "fastformer/text/bert_tokenizer.h"

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <variant>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/printable.h"
#include "fastformer/base/strict_json.h"
#include "fastformer/text/tokenizer_files.h"
#include "fastformer/text/tokenizer_json.h"

namespace fastformer::text {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* kSettingsFile = "tokenizer_config.json";
constexpr const char* kTokenizerFile = "tokenizer.json";

// true, false, or `otherwise` where the settings say nothing.
bool read_switch(const Json& settings, const char* key, bool otherwise, const std::string& where) {
  const auto found = settings.find(key);
  if (found == settings.end() || found->is_null()) return otherwise;
  if (!found->is_boolean()) {
    throw std::invalid_argument(where + ": " + key + " is " + base::excerpt(found->dump()) +
                                ", expected true or false");
  }
  return found->get<bool>();
}

Json read_settings(const fs::path& path) {
  if (!fs::exists(path)) return Json::object();
  auto settings = base::parse_strict_json<Json>(base::read_small_file(path), path.string());
  if (settings.is_object()) return settings;
  throw std::invalid_argument(path.string() +
                              ": is no JSON object; expected the settings of a BERT tokenizer, or "
                              "no such file");
}

void check_class(const Json& settings, const std::string& where) {
  const auto found = settings.find("tokenizer_class");
  if (found == settings.end() || found->is_null()) return;
  // The last two are for any tokenizer.json, which says itself what it is.
  for (const auto* known :
       {"BertTokenizer", "BertTokenizerFast", "DistilBertTokenizer", "DistilBertTokenizerFast",
        "PreTrainedTokenizerFast", "TokenizersBackend"}) {
    if (*found == known) return;
  }
  throw std::invalid_argument(where + ": tokenizer_class is " + base::excerpt(found->dump()) +
                              ", but only BERT's WordPiece tokenizer (BertTokenizer) is supported; "
                              "choose a model that has it");
}

[[noreturn]] void fail_without_vocabulary(const fs::path& folder) {
  for (const auto* other :
       {"sentencepiece.bpe.model", "spiece.model", "tokenizer.model", "vocab.json", "merges.txt"}) {
    if (!fs::exists(folder / other)) continue;
    throw std::invalid_argument(folder.string() + ": has " + other +
                                " and no vocab.txt; only BERT's WordPiece tokenizer is supported, "
                                "choose a model that has it");
  }
  throw std::invalid_argument(folder.string() +
                              ": has neither vocab.txt nor tokenizer.json; copy the tokenizer of "
                              "the model into it");
}

bool same_text(const TokenizerConfig& a, const TokenizerConfig& b) {
  return a.tokenizer == b.tokenizer && a.special_tokens == b.special_tokens &&
         a.normalization == b.normalization && a.lowercase == b.lowercase &&
         a.strip_accents == b.strip_accents && a.strip_markup == b.strip_markup &&
         (a.model_file == b.model_file ||
          (!a.model_file.empty() &&
           base::read_small_file(a.model_file) == base::read_small_file(b.model_file)));
}

}  // namespace

bool is_bert_folder(const fs::path& folder) {
  if (WordPieceJson::is_one(folder / kTokenizerFile)) return true;
  return fs::exists(folder / kVocabularyFile) &&
         (fs::exists(folder / kSettingsFile) || !fs::exists(folder / kTokenizerFile));
}

TokenizerConfig bert_tokenizer_config(const fs::path& folder) {
  TokenizerConfig config;
  config.tokenizer = "wordpiece";
  config.normalization = UnicodeForm::kNone;
  config.special_tokens = true;
  const auto path = folder / kSettingsFile;
  const auto settings = read_settings(path);
  check_class(settings, path.string());
  const auto vocabulary = folder / kVocabularyFile, json = folder / kTokenizerFile;
  const bool has_json = fs::exists(json);
  if (!has_json && !fs::exists(vocabulary)) fail_without_vocabulary(folder);
  const auto described = has_json ? WordPieceJson::read(json) : WordPieceJson();
  config.model_file = (fs::exists(vocabulary) ? vocabulary : json).string();
  config.lowercase = read_switch(settings, "do_lower_case", described.lowercase, path.string());
  const bool accents = has_json && config.lowercase == described.lowercase ? described.strip_accents
                                                                           : config.lowercase;
  config.strip_accents = read_switch(settings, "strip_accents", accents, path.string());
  if (!read_switch(settings, "tokenize_chinese_chars", true, path.string())) {
    throw std::invalid_argument(path.string() +
                                ": tokenize_chinese_chars is false, but this program always reads "
                                "each Chinese character as a word; choose another model");
  }
  return config;
}

TokenizerConfig read_bert_text(const base::ConfigTree& tree, const fs::path& folder) {
  const auto expected = bert_tokenizer_config(folder);
  auto config = expected;
  const auto* named = tree.find("text", "tokenizer");
  const auto* name = named == nullptr ? nullptr : std::get_if<std::string>(&named->value);
  if (name == nullptr || *name == expected.tokenizer) {  // other fields are valid for others
    tree.read_section("text", config);
    if (same_text(config, expected)) return config;
  }
  const auto word = [](bool value) { return value ? "true" : "false"; };
  throw std::invalid_argument(
      "the section [text] does not tokenize texts in the way that the encoder in " +
      folder.string() + " expects; remove the section, or set tokenizer = \"wordpiece\", " +
      "model_file = \"" + expected.model_file +
      "\", special_tokens = true, normalization = \"none\", lowercase = " +
      word(expected.lowercase) + ", strip_accents = " + word(expected.strip_accents) +
      " and strip_markup = false");
}

std::unique_ptr<Tokenizer> load_bert_tokenizer(const fs::path& folder) {
  return make_tokenizer(bert_tokenizer_config(folder), [](const auto&) {});
}

}  // namespace fastformer::text

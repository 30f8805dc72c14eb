#include "fastformer/text/bert_tokenizer.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/printable.h"
#include "fastformer/base/strict_json.h"
#include "fastformer/text/tokenizer_files.h"

namespace fastformer::text {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* kSettingsFile = "tokenizer_config.json";

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

}  // namespace

bool is_bert_folder(const fs::path& folder) {
  // Both kinds may have a tokenizer.json, but only those of transformers have these settings.
  return fs::exists(folder / kVocabularyFile) &&
         (fs::exists(folder / kSettingsFile) || !fs::exists(folder / "tokenizer.json"));
}

TokenizerConfig bert_tokenizer_config(const fs::path& folder) {
  TokenizerConfig config;
  config.tokenizer = "wordpiece";
  config.normalization = UnicodeForm::kNone;
  config.special_tokens = true;
  config.model_file = (folder / kVocabularyFile).string();
  const auto path = folder / kSettingsFile;
  Json settings = Json::object();
  if (fs::exists(path))
    settings = base::parse_strict_json<Json>(base::read_small_file(path), path.string());
  if (!settings.is_object()) {
    throw std::invalid_argument(path.string() +
                                ": is not a JSON object; expected the settings of a BERT "
                                "tokenizer: correct or delete the file");
  }
  config.lowercase = read_switch(settings, "do_lower_case", true, path.string());
  config.strip_accents = read_switch(settings, "strip_accents", config.lowercase, path.string());
  if (!read_switch(settings, "tokenize_chinese_chars", true, path.string())) {
    throw std::invalid_argument(path.string() +
                                ": tokenize_chinese_chars is false, but this program always reads "
                                "each Chinese character as a word; choose another model");
  }
  return config;
}

std::unique_ptr<Tokenizer> load_bert_tokenizer(const fs::path& folder) {
  return make_tokenizer(bert_tokenizer_config(folder), [](const auto&) {});
}

}  // namespace fastformer::text

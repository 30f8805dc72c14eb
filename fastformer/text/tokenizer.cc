#include "fastformer/text/tokenizer.h"

#include <array>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <vector>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/config_tree.h"
#include "fastformer/base/format.h"
#include "fastformer/base/random.h"
#include "fastformer/text/sentencepiece_tokenizer.h"
#include "fastformer/text/tokenizer_files.h"
#include "fastformer/text/word_tokenizer.h"
#include "fastformer/text/wordpiece_tokenizer.h"

namespace fastformer::text {

void TokenizerConfig::visit_fields(base::FieldVisitor& visit) {
  visit("tokenizer", tokenizer, "how text is split into tokens", base::one_of(tokenizer_names()));
  visit("normalization", normalization, "Unicode normalization form");
  visit("lowercase", lowercase, "fold case");
  visit("strip_accents", strip_accents, "drop combining marks");
  visit("strip_markup", strip_markup, "replace HTML tags by a space, decode entities");
  visit("minimum_count", minimum_count,
        "tokens that are rarer in the training texts become [UNK] (word)", base::at_least(1));
  visit("vocabulary_size", vocabulary_size,
        "largest number of tokens, special ones included (word, sentencepiece)",
        base::between(8, 10'000'000));
  visit("model_file", model_file,
        "a vocab.txt or tokenizer.json (wordpiece) or a .model (sentencepiece) to use instead of "
        "training one",
        base::file_path());
  visit("special_tokens", special_tokens,
        "put [CLS] before a text and [SEP] after it, as BERT expects (wordpiece)");
}

void TokenizerConfig::validate() const {
  if (tokenizer == "word" && !model_file.empty()) {
    throw std::invalid_argument(
        "text.model_file is for wordpiece and sentencepiece; the word tokenizer learns its "
        "vocabulary from the training text");
  }
  if (special_tokens && tokenizer != "wordpiece") {
    throw std::invalid_argument("text.special_tokens is for wordpiece; the tokenizer " + tokenizer +
                                " has no [CLS] and [SEP]: remove the field");
  }
}

namespace {

constexpr const char* kConfigurationFile = "tokenizer.json";
constexpr std::int64_t kFormatVersion = 1;

template <class T>
std::unique_ptr<Tokenizer> load_with_vocabulary(const TokenizerConfig& config,
                                                const std::filesystem::path& directory) {
  return std::make_unique<T>(config, Vocabulary::load(directory / kVocabularyFile));
}

// Subwords: nothing is learned from more texts.
std::unique_ptr<Tokenizer> keep_subwords(const TokenizerConfig& config,
                                         const std::filesystem::path& directory,
                                         const TextSource& texts) {
  auto kept = load_tokenizer(directory);
  if (config.model_file.empty()) return kept;
  const auto named = make_tokenizer(config, texts);
  bool same = named->vocabulary_size() == kept->vocabulary_size();
  for (std::int32_t id = 0; same && id < kept->vocabulary_size(); ++id) {
    same = named->token(id) == kept->token(id);
  }
  if (same) return kept;
  throw std::invalid_argument("text.model_file: " + config.model_file +
                              " has other tokens than the model in " + directory.string() +
                              "; remove the field, so that the model keeps its own");
}

struct Row {
  const char* name;
  std::unique_ptr<Tokenizer> (*make)(const TokenizerConfig&, const TextSource&);
  std::unique_ptr<Tokenizer> (*load)(const TokenizerConfig&, const std::filesystem::path&);
  std::unique_ptr<Tokenizer> (*extend)(const TokenizerConfig&, const std::filesystem::path&,
                                       const TextSource&);
};

constexpr std::array kTokenizers = {
    Row{"word", WordTokenizer::train, load_with_vocabulary<WordTokenizer>, WordTokenizer::extend},
    Row{"wordpiece", WordPieceTokenizer::train, load_with_vocabulary<WordPieceTokenizer>,
        keep_subwords},
    Row{"sentencepiece", SentencePieceTokenizer::train, SentencePieceTokenizer::load,
        keep_subwords},
};

const Row& row(const std::string& name) {
  for (const auto& row : kTokenizers) {
    if (name == row.name) return row;
  }
  throw std::invalid_argument("text.tokenizer is '" + name + "'" +
                              base::suggestion(name, tokenizer_names()));
}

struct FormatVersion {
  std::int64_t version = 0;
  void visit_fields(base::FieldVisitor& visit) {
    visit("version", version, "version of the format of this file");
  }
  void validate() const {}
};

}  // namespace

LimitedIds encode_limited(const Tokenizer& tokenizer, std::string_view text,
                          std::int64_t max_tokens) {
  // One token more than is kept tells whether the text was longer.
  const auto kept = static_cast<std::size_t>(max_tokens);
  const std::size_t limit = kept == 0 ? Tokenizer::kNoLimit : kept + 1;
  LimitedIds encoded;
  tokenizer.encode(text, encoded.ids, limit);
  encoded.truncated = encoded.ids.size() >= limit;
  if (!encoded.truncated) return encoded;
  encoded.ids.clear();
  tokenizer.encode(text, encoded.ids, kept);  // which ends in the last token of a framed text
  return encoded;
}

std::vector<std::string> tokenizer_names() {
  std::vector<std::string> names;
  for (const auto& row : kTokenizers) names.emplace_back(row.name);
  return names;
}

void save_configuration(const std::filesystem::path& directory, const TokenizerConfig& config) {
  // What was learned lies beside this file; the paths it came from mean nothing elsewhere.
  TokenizerConfig portable = config;
  portable.model_file.clear();
  base::ConfigTree tree;
  tree.write_section("format", FormatVersion{kFormatVersion});
  tree.write_section("text", portable);
  base::write_file_atomically(directory / kConfigurationFile, tree.to_json() + "\n");
}

std::unique_ptr<Tokenizer> make_tokenizer(const TokenizerConfig& config,
                                          const TextSource& training_texts) {
  config.validate();
  return row(config.tokenizer).make(config, training_texts);
}

std::unique_ptr<Tokenizer> extend_tokenizer(const std::filesystem::path& directory,
                                            const TokenizerConfig& config,
                                            const TextSource& training_texts) {
  config.validate();
  return row(config.tokenizer).extend(config, directory, training_texts);
}

TokenizerConfig tokenizer_config(const std::filesystem::path& directory) {
  const auto path = directory / kConfigurationFile;
  const auto tree = base::ConfigTree::from_json(base::read_small_file(path), path.string());
  FormatVersion format;
  tree.read_section("format", format);
  if (format.version != kFormatVersion) {
    throw std::invalid_argument(
        path.string() + " has format version " + std::to_string(format.version) +
        ", but this program reads version " + std::to_string(kFormatVersion));
  }
  TokenizerConfig config;
  tree.read_section("text", config);
  return config;
}

std::uint64_t Tokenizer::checksum() const {
  auto hash = base::fnv1a("");
  for (std::int64_t id = 0; id < vocabulary_size(); ++id) {
    const auto text = token(static_cast<std::int32_t>(id));
    hash = base::fnv1a(text, base::fnv1a(std::to_string(text.size()) + ":", hash));
  }
  return hash;
}

std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& directory) {
  const auto config = tokenizer_config(directory);
  return row(config.tokenizer).load(config, directory);
}

}  // namespace fastformer::text

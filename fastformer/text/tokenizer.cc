#include "fastformer/text/tokenizer.h"

#include <array>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <vector>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/config_tree.h"
#include "fastformer/base/suggest.h"
#include "fastformer/text/sentencepiece_tokenizer.h"
#include "fastformer/text/tokenizer_config.h"
#include "fastformer/text/tokenizer_files.h"
#include "fastformer/text/word_tokenizer.h"
#include "fastformer/text/wordpiece_tokenizer.h"

namespace fastformer::text {
namespace {

constexpr const char* kConfigurationFile = "tokenizer.json";
constexpr std::int64_t kFormatVersion = 1;

template <class T>
std::unique_ptr<Tokenizer> load_with_vocabulary(const TokenizerConfig& config,
                                                const std::filesystem::path& directory) {
  return std::make_unique<T>(config, Vocabulary::load(directory / kVocabularyFile));
}

struct Row {
  const char* name;
  std::unique_ptr<Tokenizer> (*make)(const TokenizerConfig&, const TextSource&);
  std::unique_ptr<Tokenizer> (*load)(const TokenizerConfig&, const std::filesystem::path&);
};

constexpr std::array kTokenizers = {
    Row{"word", WordTokenizer::train, load_with_vocabulary<WordTokenizer>},
    Row{"wordpiece", WordPieceTokenizer::train, load_with_vocabulary<WordPieceTokenizer>},
    Row{"sentencepiece", SentencePieceTokenizer::train, SentencePieceTokenizer::load},
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
    visit("version", version, "of the layout of this file");
  }
  void validate() const {}
};

}  // namespace

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

std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& directory) {
  const auto path = directory / kConfigurationFile;
  const auto tree = base::ConfigTree::from_json(base::read_file(path), path.string());
  FormatVersion format;
  tree.read_section("format", format);
  if (format.version != kFormatVersion) {
    throw std::invalid_argument(path.string() + " has the format version " +
                                std::to_string(format.version) + ", this program reads version " +
                                std::to_string(kFormatVersion));
  }
  TokenizerConfig config;
  tree.read_section("text", config);
  return row(config.tokenizer).load(config, directory);
}

}  // namespace fastformer::text

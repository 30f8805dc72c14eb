#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fastformer/base/config_field.h"

namespace fastformer::text {

/// Unicode normalization forms (UAX 15).
enum class UnicodeForm : std::uint8_t { kNone, kNfc, kNfkc };

/// The recipe's [text] section.
struct TokenizerConfig {
  std::string tokenizer = "word";  ///< one of tokenizer_names()
  UnicodeForm normalization = UnicodeForm::kNfkc;
  bool lowercase = true;
  bool strip_accents = false;
  bool strip_markup = false;  ///< see strip_markup()
  std::int64_t minimum_count = 2;
  std::int64_t vocabulary_size = 100'000;
  std::string model_file;
  bool special_tokens = false;  ///< [CLS] before and [SEP] after a text, as BERT expects

  void visit_fields(base::FieldVisitor& visit);
  /// Throws std::invalid_argument with one sentence.
  void validate() const;
};

/// Converts text to token ids. Immutable; safe to share between threads.
///
///   const auto tokenizer = load_tokenizer("runs/ag_news/model");
///   std::vector<std::int32_t> ids;
///   tokenizer->encode("Oil prices fall again", ids);
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// Appends the ids of `text` to `ids`. Each ill-formed UTF-8 sequence is read as U+FFFD. Stops
  /// after `limit` ids, so that only the beginning of a very long text is processed.
  virtual void encode(std::string_view text, std::vector<std::int32_t>& ids,
                      std::size_t limit = kNoLimit) const = 0;

  /// The tokens of `text` in readable form, one for each id that encode() appends. A token outside
  /// the vocabulary keeps its own spelling.
  virtual std::vector<std::string> tokens(std::string_view text,
                                          std::size_t limit = kNoLimit) const = 0;

  virtual std::int64_t vocabulary_size() const = 0;
  virtual std::string token(std::int32_t id) const = 0;
  /// Whether the token is a part of a word that is not its first. Punctuation, and characters of
  /// scripts without spaces between words, begin words.
  virtual bool continues_word(std::int32_t /*id*/) const { return false; }
  /// Checksum of all tokens in the order of their ids.
  std::uint64_t checksum() const;
  virtual std::int32_t pad_id() const = 0;
  virtual std::int32_t unknown_id() const = 0;
  /// The tokens that begin and end a generated text; -1: none.
  virtual std::int32_t begin_id() const { return -1; }
  virtual std::int32_t end_id() const { return -1; }

  /// Converts ids to text, for generated texts; by default tokens are joined by spaces.
  virtual std::string decode(std::span<const std::int32_t> ids) const {
    std::string text;
    for (const auto id : ids) text += (text.empty() ? "" : " ") + token(id);
    return text;
  }

  /// Writes tokenizer.json (the configuration) and the vocabulary or model file to `directory`. The
  /// tokenizer that load_tokenizer() returns for it encodes every text to the same ids.
  virtual void save(const std::filesystem::path& directory) const = 0;

  static constexpr std::size_t kNoLimit = static_cast<std::size_t>(-1);
};

/// The first ids of a text.
struct LimitedIds {
  std::vector<std::int32_t> ids;
  bool truncated = false;  ///< the text had more
};

/// The ids of a text, at most `max_tokens` of them; 0: all.
LimitedIds encode_limited(const Tokenizer& tokenizer, std::string_view text,
                          std::int64_t max_tokens);

/// A function that calls its argument with each text of a source, in order.
using TextSource = std::function<void(const std::function<void(std::string_view)>&)>;

/// The tokenizers that a recipe can name.
std::vector<std::string> tokenizer_names();

/// Creates the tokenizer that `config` describes. A vocabulary is learned from `training_texts`
/// only, if at all. Throws std::invalid_argument if that fails, as without texts.
std::unique_ptr<Tokenizer> make_tokenizer(const TokenizerConfig& config,
                                          const TextSource& training_texts);

/// The configuration of the tokenizer that save() wrote.
TokenizerConfig tokenizer_config(const std::filesystem::path& directory);

/// The tokenizer of a directory, for training on more texts: all its tokens keep their ids. Words
/// of `training_texts` that it lacks follow, as make_tokenizer() would choose them; subwords have
/// tokens for every text and stay as they are. `config` cuts texts as that of the directory does.
/// Throws std::invalid_argument if there is no text, or for a text.model_file with other tokens.
std::unique_ptr<Tokenizer> extend_tokenizer(const std::filesystem::path& directory,
                                            const TokenizerConfig& config,
                                            const TextSource& training_texts);

/// Reads what save() wrote. Throws std::invalid_argument naming the missing or invalid file.
std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& directory);

}  // namespace fastformer::text

namespace fastformer::base {
template <>
inline constexpr std::array kWords<text::UnicodeForm> = {"none", "nfc", "nfkc"};
}  // namespace fastformer::base

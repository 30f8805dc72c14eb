#include "fastformer/text/sentencepiece_tokenizer.h"

#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/printable.h"
#include "fastformer/text/character_class.h"
#include "fastformer/text/sentencepiece_model.h"
#include "fastformer/text/tokenizer_files.h"

namespace fastformer::text {
namespace {

constexpr std::string_view kBlank = "\u2581";  // begins the pieces that begin a word

// Gives the trainer one text after another; it keeps no copy of its own.
class SampleIterator final : public sentencepiece::SentenceIterator {
 public:
  explicit SampleIterator(const std::vector<std::string>& sample) : sample_(sample) {}
  bool done() const override { return position_ == sample_.size(); }
  void Next() override { ++position_; }
  const std::string& value() const override { return sample_[position_]; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  const std::vector<std::string>& sample_;
  std::size_t position_ = 0;
};

// The white space that ends a run of unknown characters, since the model has a piece for it: none
// where the model does not know its sign of a blank, and no line ends where its normalization keeps
// them.
std::string known_blanks(const sentencepiece::SentencePieceProcessor& processor) {
  constexpr std::string_view kSign = "\u2581";
  std::string known;
  if (processor.PieceToId({kSign.data(), kSign.size()}) == processor.unk_id()) return known;
  for (const char blank : {' ', '\n', '\t', '\r'}) {
    std::string read;
    for (const auto& piece : processor.EncodeAsPieces(std::string("a") + blank + "a"))
      read += piece;
    if (read.find(kSign, 1) != std::string::npos) known += blank;
  }
  return known;
}

// Calls `use` with the parts of a text until it returns false. The library joins unknown characters
// in a row in time that is quadratic in their number, so that a text is cut where nothing but such
// a run can be: after 16 KB without one of the blanks.
void for_each_part(std::string_view text, std::string_view blanks,
                   const std::function<bool(std::string_view)>& use) {
  constexpr std::size_t kLongestRun = 16'384;
  std::size_t begin = 0, run = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool blank = blanks.find(text[i]) != std::string_view::npos;
    const bool inside = (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80;  // of a character
    run = blank ? 0 : run + 1;
    if (run <= kLongestRun || inside) continue;
    if (!use(text.substr(begin, i - begin))) return;
    begin = i;
    run = 0;
  }
  use(text.substr(begin));
}

}  // namespace

SentencePieceTokenizer::SentencePieceTokenizer(const TokenizerConfig& config, std::string model,
                                               const std::string& where)
    : config_(config),
      normalizer_(config),
      model_(std::move(model)),
      processor_(std::make_unique<sentencepiece::SentencePieceProcessor>()) {
  const auto fail = [&](std::string_view cause) {
    throw std::invalid_argument(where + " is not a SentencePiece model (" + base::excerpt(cause) +
                                "); give a .model file");
  };
  if (!has_sound_charsmaps(model_)) fail("it is damaged");
  try {
    const auto status = processor_->LoadFromSerializedProto(model_);
    if (!status.ok()) fail(status.ToString());
    blanks_ = known_blanks(*processor_);
  } catch (const std::invalid_argument&) {
    throw;
  } catch (const std::exception& error) {  // of the libraries inside
    fail(error.what());
  }
}

SentencePieceTokenizer::~SentencePieceTokenizer() = default;

std::unique_ptr<Tokenizer> SentencePieceTokenizer::train(const TokenizerConfig& config,
                                                         const TextSource& texts) {
  if (!config.model_file.empty()) {
    return std::make_unique<SentencePieceTokenizer>(
        config, base::read_small_file(config.model_file), config.model_file);
  }
  constexpr std::size_t kSampleBytes = 64 << 20;
  const Normalizer normalizer(config);
  std::vector<std::string> sample;
  std::size_t bytes = 0;
  texts([&](std::string_view text) {
    if (bytes >= kSampleBytes) return;
    auto line = normalizer.normalize(text);
    bytes += line.size();
    if (!line.empty()) sample.push_back(std::move(line));
  });
  const std::unordered_map<std::string, std::string> options = {
      {"vocab_size", std::to_string(config.vocabulary_size)},
      {"hard_vocab_limit", "false"},
      {"pad_id", "0"},
      {"unk_id", "1"},
      {"bos_id", "-1"},
      {"eos_id", "-1"},
      {"num_threads", "1"},
      {"minloglevel", "2"}};
  std::string model;
  SampleIterator texts_of_sample(sample);
  const auto status = sentencepiece::SentencePieceTrainer::Train(options, &texts_of_sample, &model);
  if (!status.ok()) {
    throw std::invalid_argument("SentencePiece could not learn a vocabulary of " +
                                std::to_string(config.vocabulary_size) + " tokens from " +
                                std::to_string(sample.size()) + " texts (" +
                                base::excerpt(status.ToString()) +
                                "); lower text.vocabulary_size, or use more training texts");
  }
  return std::make_unique<SentencePieceTokenizer>(config, std::move(model), "the trained model");
}

std::unique_ptr<Tokenizer> SentencePieceTokenizer::load(const TokenizerConfig& config,
                                                        const std::filesystem::path& directory) {
  const auto path = directory / kSentencePieceFile;
  return std::make_unique<SentencePieceTokenizer>(config, base::read_small_file(path),
                                                  path.string());
}

void SentencePieceTokenizer::encode(std::string_view text, std::vector<std::int32_t>& ids,
                                    std::size_t limit) const {
  for_each_part(normalizer_.normalize(head(text, limit)), blanks_, [&](std::string_view part) {
    const auto pieces = processor_->EncodeAsIds({part.data(), part.size()});
    const auto kept = std::min(pieces.size(), limit);
    ids.insert(ids.end(), pieces.begin(), pieces.begin() + static_cast<std::ptrdiff_t>(kept));
    limit -= kept;
    return limit > 0;
  });
}

std::vector<std::string> SentencePieceTokenizer::tokens(std::string_view text,
                                                        std::size_t limit) const {
  std::vector<std::string> tokens;
  for_each_part(normalizer_.normalize(head(text, limit)), blanks_, [&](std::string_view part) {
    for (auto& piece : processor_->EncodeAsPieces({part.data(), part.size()})) {
      if (tokens.size() < limit) tokens.push_back(std::move(piece));
    }
    return tokens.size() < limit;
  });
  return tokens;
}

std::int64_t SentencePieceTokenizer::vocabulary_size() const { return processor_->GetPieceSize(); }

std::string SentencePieceTokenizer::token(std::int32_t id) const {
  if (id < 0 || id >= processor_->GetPieceSize()) {
    throw std::out_of_range("no token has the id " + std::to_string(id));
  }
  return processor_->IdToPiece(id);
}

bool SentencePieceTokenizer::continues_word(std::int32_t id) const {
  const auto piece = token(id);
  const bool special = processor_->IsControl(id) || processor_->IsUnknown(id) || piece.empty();
  if (special || piece.starts_with(kBlank)) return false;
  const auto first = static_cast<unsigned char>(piece.front());
  if (first < 0x80) return std::isalnum(first) != 0;
  const auto kind = character_at(piece).kind;
  return kind == CharacterClass::kLetter || kind == CharacterClass::kMiddle ||
         kind == CharacterClass::kJoiner;
}

std::int32_t SentencePieceTokenizer::pad_id() const {
  return processor_->pad_id() >= 0 ? processor_->pad_id() : processor_->unk_id();
}

std::int32_t SentencePieceTokenizer::unknown_id() const { return processor_->unk_id(); }

std::int32_t SentencePieceTokenizer::begin_id() const { return processor_->bos_id(); }

std::int32_t SentencePieceTokenizer::end_id() const { return processor_->eos_id(); }

std::string SentencePieceTokenizer::decode(std::span<const std::int32_t> ids) const {
  return processor_->DecodeIds({ids.begin(), ids.end()});
}

void SentencePieceTokenizer::save(const std::filesystem::path& directory) const {
  save_configuration(directory, config_);
  base::write_file_atomically(directory / kSentencePieceFile, model_);
}

}  // namespace fastformer::text

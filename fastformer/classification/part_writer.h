#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "fastformer/classification/dataset.h"
#include "fastformer/data/chunk_queue.h"

namespace fastformer::classification {

/// The corpora of a part while they are written; an empty folder: in memory.
class PartWriter {
 public:
  explicit PartWriter(const std::filesystem::path& folder = {}, const std::string& part = {})
      : texts_(file(folder, part, ".tokens")),
        ngrams_(file(folder, part, ".ngrams")),
        labels_(file(folder, part, ".labels")) {}

  void add(const text::LimitedIds& encoded, std::span<const std::int32_t> ngrams,
           std::span<const std::int32_t> labels, std::int64_t record) {
    texts_.add(encoded.ids, record, encoded.truncated);
    ngrams_.add(ngrams, record);
    labels_.add(labels, record);
    tokens_ += std::ssize(encoded.ids);
  }
  std::int64_t tokens() const { return tokens_; }
  LabelledCorpus finish() { return {texts_.finish(), ngrams_.finish(), labels_.finish()}; }

  /// The part of a data set that has everything else.
  static LabelledCorpus open(const std::filesystem::path& folder, const std::string& part,
                             const Dataset& dataset, bool labelled = true) {
    const auto columns = dataset.linear ? dataset.linear->model->table().size() : 0;
    LabelledCorpus corpus{
        data::Corpus::open(file(folder, part, ".tokens"), dataset.tokenizer->vocabulary_size()),
        data::Corpus::open(file(folder, part, ".ngrams"), columns),
        data::Corpus::open(file(folder, part, ".labels"), std::ssize(dataset.labels))};
    if (corpus.texts.size() == corpus.labels.size() &&
        corpus.texts.size() == corpus.ngrams.size() &&
        (!labelled || dataset.several_labels || corpus.labels.empty() == 0)) {
      return corpus;
    }
    throw std::invalid_argument(folder.string() + ": has " + std::to_string(corpus.texts.size()) +
                                " texts, but " + std::to_string(corpus.labels.size()) +
                                " labels for " + part +
                                ", expected a label for each; delete the folder to prepare the "
                                "data again");
  }

 private:
  static std::filesystem::path file(const std::filesystem::path& folder, const std::string& part,
                                    const char* ending) {
    return folder.empty() ? std::filesystem::path() : folder / (part + ending);
  }

  data::CorpusWriter texts_, ngrams_, labels_;
  std::int64_t tokens_ = 0;
};

/// A document on its way to its writer.
struct Document {
  std::string text;
  std::vector<std::int32_t> labels;
  std::int64_t record;
  PartWriter* writer;
  text::LimitedIds encoded = {};
  std::vector<std::int32_t> ngrams = {};
};

/// Encodes documents on other threads while the caller continues to read, and adds them to their
/// writers in order.
class DocumentEncoder {
 public:
  // `ngrams` may be null.
  DocumentEncoder(const text::Tokenizer& tokenizer, std::int64_t max_tokens,
                  const linear::NgramTable* ngrams)
      : queue_(
            [&tokenizer, max_tokens, ngrams](Document& document) {
              document.encoded = text::encode_limited(tokenizer, document.text, max_tokens);
              if (ngrams != nullptr) ngrams->encode(document.text, document.ngrams);
              document.text = {};
            },
            [](Document& document) {
              document.writer->add(document.encoded, document.ngrams, document.labels,
                                   document.record);
            }) {}

  void add(Document document) {
    const std::size_t bytes = document.text.size();
    queue_.add(std::move(document), bytes);
  }
  void finish() { queue_.finish(); }

 private:
  data::ChunkQueue<Document> queue_;
};

}  // namespace fastformer::classification

#include "fastformer/summarization/extractive/extractive_model.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <span>
#include <unordered_map>

#include "fastformer/base/model_directory.h"
#include "fastformer/nn/layers/dropout.h"
#include "fastformer/nn/offsets.h"
#include "fastformer/nn/tensor_file.h"

namespace fastformer::summarization {
namespace {

constexpr std::int64_t kRepetitions = 10, kPlaces = 32, kTenths = 10, kLengths = 20;

// 0, 1, ... 15 for the first sixteen numbers, then two buckets per doubling, up to kPlaces - 1.
std::int64_t place_bucket(std::int64_t place) {
  constexpr std::int64_t kExact = 16;
  if (place < kExact) return place;
  const auto doublings = std::log2(static_cast<double>(place) / kExact);
  return std::min(kExact + static_cast<std::int64_t>(2 * doublings), kPlaces - 1);
}

// Two buckets per doubling, from 1.
std::int64_t length_bucket(std::int64_t tokens) {
  const auto doublings = std::log2(static_cast<double>(std::max<std::int64_t>(tokens, 1)));
  return std::min(static_cast<std::int64_t>(2 * doublings), kLengths - 1);
}

// For each token, floor(log2(number of times that its document has it)).
at::Tensor repetition_buckets(const data::TokenBatch& documents) {
  auto buckets = at::empty({documents.tokens()}, at::kLong);
  auto* out = buckets.mutable_data_ptr<std::int64_t>();
  std::unordered_map<std::int32_t, std::uint64_t> counts;
  for (std::int64_t b = 0; b < documents.size(); ++b) {
    const auto ids = documents.sequence(b);
    counts.clear();
    for (const auto id : ids) ++counts[id];
    for (const auto id : ids) {
      *out++ =
          std::min(static_cast<std::int64_t>(std::bit_width(counts[id])) - 1, kRepetitions - 1);
    }
  }
  return buckets;
}

// A number for each sentence: f(place in its document, sentences of the document).
at::Tensor by_place(const SentenceBatch& batch,
                    const std::function<std::int64_t(std::int64_t, std::int64_t)>& f) {
  std::vector<std::int64_t> numbers;
  for (std::size_t b = 0; b + 1 < batch.sentences.size(); ++b) {
    const auto count = batch.sentences[b + 1] - batch.sentences[b];
    for (std::int64_t place = 0; place < count; ++place) numbers.push_back(f(place, count));
  }
  return at::tensor(numbers, at::kLong);
}

at::Tensor lengths_of(const SentenceBatch& batch) {
  std::vector<std::int64_t> numbers;
  for (std::size_t s = 0; s + 1 < batch.tokens.size(); ++s) {
    numbers.push_back(length_bucket(batch.tokens[s + 1] - batch.tokens[s]));
  }
  return at::tensor(numbers, at::kLong);
}

at::Tensor kinds_of(const SentenceBatch& batch) {
  std::vector<std::int64_t> numbers;
  for (const auto kind : batch.kinds) numbers.push_back(static_cast<std::int64_t>(kind));
  return at::tensor(numbers, at::kLong);
}

// The offsets of documents in tokens, from those of their sentences.
std::vector<std::int64_t> document_offsets(std::span<const std::int64_t> sentences,
                                           std::span<const std::int64_t> tokens) {
  std::vector<std::int64_t> offsets;
  for (const auto sentence : sentences)
    offsets.push_back(tokens[static_cast<std::size_t>(sentence)]);
  return offsets;
}

// The targets of the loss, [S].
at::Tensor targets_of(const SentenceBatch& batch, double soft, at::ScalarType dtype) {
  std::vector<double> targets(batch.kinds.size());
  for (std::size_t b = 0; b + 1 < batch.sentences.size(); ++b) {
    const auto begin = static_cast<std::size_t>(batch.sentences[b]);
    const auto end = static_cast<std::size_t>(batch.sentences[b + 1]);
    double most = 0;
    for (auto s = begin; s < end; ++s) most = std::max<double>(most, batch.gain[s]);
    for (auto s = begin; s < end; ++s) {
      const auto share = most > 0 ? batch.gain[s] / most : 0;
      targets[s] = (1 - soft) * batch.oracle[s] + soft * share;
    }
  }
  return at::tensor(targets, dtype);
}

at::Tensor encode(const nn::Encoder& encoder, at::Tensor x, const nn::Offsets& offsets,
                  bool training) {
  if (!training && !at::GradMode::is_enabled()) return encoder.infer(x, offsets);
  return encoder.forward(std::move(x), offsets, training, nullptr);
}

}  // namespace

ExtractiveModel::ExtractiveModel(const ModelConfig& config, std::int64_t vocabulary_size,
                                 std::uint64_t seed, at::ScalarType dtype)
    : ExtractiveModel(config, vocabulary_size,
                      nn::ParameterStore(seed, dtype, config.source.initial_deviation)) {}

ExtractiveModel::ExtractiveModel(const ModelConfig& config, std::int64_t vocabulary_size,
                                 nn::ParameterStore store)
    : config_(config),
      store_(std::move(store)),
      embedding_(config.source.embedding(vocabulary_size), store_, "embedding"),
      encoder_(config.source.encoder, store_, "encoder"),
      pooling_(store_, "pooling", config.source.encoder.width),
      sentence_encoder_(config.sentence_encoder(), store_, "sentence_encoder") {
  const auto width = config.source.encoder.width;
  const auto table = [&](const char* name, std::int64_t rows) {
    return store_.normal(name, {rows, width}, config_.source.embedding_deviation);
  };
  repetition_ = table("repetition.weight", kRepetitions);
  start_ = table("sentence.start.weight", kPlaces);
  end_ = table("sentence.end.weight", kPlaces);
  tenth_ = table("sentence.tenth.weight", kTenths);
  length_ = table("sentence.length.weight", kLengths);
  kind_ = table("sentence.kind.weight", std::ssize(base::kWords<text::SentenceKind>));
  sentence_norm_ = nn::LayerNorm(store_, "sentence.normalization", width);
  output_norm_ = nn::LayerNorm(store_, "output.normalization", width);
  output_ = nn::Linear(store_, "output", width, 1);
  store_.finish();
}

at::Tensor ExtractiveModel::logits(const SentenceBatch& batch, bool training) const {
  const nn::Offsets sentences(batch.sentences);
  auto x = embedding_.forward(batch.documents.ids, nn::Offsets(batch.documents.offsets), training);
  x = x + at::embedding(repetition_, repetition_buckets(batch.documents));
  auto tokens = batch.tokens;
  const auto rate = config_.sentences.token_dropout;
  if (training && rate > 0) {
    auto kept = nn::drop_tokens(x, nn::Offsets(tokens), rate);
    x = std::move(kept.rows);
    tokens = std::move(kept.offsets);
  }
  const auto documents = document_offsets(batch.sentences, tokens);
  x = encode(encoder_, std::move(x), nn::Offsets(documents), training);
  auto v = pooling_.forward(x, nn::Offsets(tokens)).vectors;
  v = v +
      at::embedding(start_, by_place(batch, [](auto place, auto) { return place_bucket(place); })) +
      at::embedding(
          end_,
          by_place(batch, [](auto place, auto count) { return place_bucket(count - 1 - place); })) +
      at::embedding(
          tenth_, by_place(batch, [](auto place, auto count) { return place * kTenths / count; })) +
      at::embedding(length_, lengths_of(batch)) + at::embedding(kind_, kinds_of(batch));
  v = sentence_norm_.forward(v);
  if (training) v = nn::dropout(v, config_.source.encoder.dropout);
  v = encode(sentence_encoder_, std::move(v), sentences, training);
  return output_.forward(output_norm_.forward(v)).squeeze(1);
}

at::Tensor ExtractiveModel::loss(const SentenceBatch& batch, double soft_targets,
                                 bool training) const {
  const auto z = logits(batch, training);
  return at::binary_cross_entropy_with_logits(z, targets_of(batch, soft_targets, z.scalar_type()));
}

std::vector<double> ExtractiveModel::scores(const SentenceBatch& batch) const {
  const c10::NoGradGuard no_gradients;
  const auto p = at::sigmoid(logits(batch, /*training=*/false)).to(at::kDouble).contiguous();
  const auto* values = p.const_data_ptr<double>();
  return {values, values + p.numel()};
}

std::set<std::string> ExtractiveModel::row_sparse_parameters() const {
  // They are the same for every batch, one without documents included.
  std::set<std::string> names;
  for (const auto& [name, rows] : touched_rows({})) names.insert(name);
  return names;
}

std::vector<std::pair<std::string, at::Tensor>> ExtractiveModel::touched_rows(
    const SentenceBatch& batch) const {
  return embedding_.touched_rows(batch.documents.ids, nn::Offsets(batch.documents.offsets));
}

ExtractiveContent ExtractiveContent::load(const std::filesystem::path& directory) {
  ExtractiveContent content;
  ModelConfig config;
  base::read_model_config(directory, kExtractiveKind, {"model", "selection", "data"},
                          [&](const base::ConfigTree& tree) {
                            config = ModelConfig::read(tree);
                            tree.read_section("selection", content.selection);
                            tree.read_section("data", content.data_config);
                          });
  content.tokenizer = text::load_tokenizer(directory);
  content.model = std::make_unique<ExtractiveModel>(
      config, content.tokenizer->vocabulary_size(),
      nn::ParameterStore::from_file(directory / base::kWeightsFile));
  return content;
}

void save_extractive(const std::filesystem::path& directory, const ExtractiveParts& parts,
                     const std::string& card) {
  base::ConfigTree tree;
  tree.write_section("model", parts.model.config());
  tree.write_section("selection", parts.selection);
  tree.write_section("data", parts.data_config);
  base::write_model_directory(
      directory, kExtractiveKind, tree, card, [&](const std::filesystem::path& fresh) {
        nn::save_tensors(fresh / base::kWeightsFile, parts.model.parameters(), {{"format", "pt"}});
        parts.tokenizer.save(fresh);
      });
}

}  // namespace fastformer::summarization

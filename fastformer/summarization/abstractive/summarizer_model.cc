#include "fastformer/summarization/abstractive/summarizer_model.h"

#include <ATen/Dispatch.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <map>
#include <stdexcept>

#include "fastformer/base/model_directory.h"
#include "fastformer/kernels/parallel.h"
#include "fastformer/nn/decoder/token_mixture.h"
#include "fastformer/nn/decoder/vocabulary_loss.h"
#include "fastformer/nn/mixers/row_attention.h"
#include "fastformer/nn/tensor_file.h"

namespace fastformer::summarization {
namespace {

// The inputs and targets of the decoder, row by row.
struct TargetRows {
  std::vector<std::int32_t> inputs, outputs;
  std::vector<std::int64_t> offsets = {0};
};

TargetRows target_rows(const PairBatch& batch, const TextVocabulary& vocabulary) {
  TargetRows rows;
  for (std::size_t b = 0; b + 1 < batch.target.offsets.size(); ++b) {
    const auto first = batch.target.ids.begin() + batch.target.offsets[b];
    const auto last = batch.target.ids.begin() + batch.target.offsets[b + 1];
    rows.inputs.push_back(vocabulary.begin);
    rows.inputs.insert(rows.inputs.end(), first, last);
    rows.outputs.insert(rows.outputs.end(), first, last);
    rows.outputs.push_back(vocabulary.end);
    rows.offsets.push_back(static_cast<std::int64_t>(rows.inputs.size()));
  }
  return rows;
}

// `positions`: 0 for any length.
void check_batch(const PairBatch& batch, std::int64_t positions) {
  if (batch.source.offsets.size() != batch.target.offsets.size()) {
    throw std::invalid_argument("a batch has " + std::to_string(batch.source.offsets.size() - 1) +
                                " documents, but " +
                                std::to_string(batch.target.offsets.size() - 1) +
                                " summaries; give each document one summary");
  }
  const nn::Offsets offsets(batch.target.offsets);
  if (offsets.total() != static_cast<std::int64_t>(batch.target.ids.size())) {
    throw std::invalid_argument(
        "the summaries of a batch have " + std::to_string(batch.target.ids.size()) +
        " tokens, but their offsets end at " + std::to_string(offsets.total()) +
        "; give offsets that cover all tokens");
  }
  for (std::int64_t b = 0; positions > 0 && b < offsets.size(); ++b) {
    if (offsets.length(b) < positions) continue;
    throw std::invalid_argument(
        "a summary of " + std::to_string(offsets.length(b)) +
        " tokens, with the one before it, is longer than the " + std::to_string(positions) +
        " positions of the model; truncate it, or set model.decoder.max_positions = 0");
  }
}

at::Tensor merged(const at::Tensor& a, const at::Tensor& b) {
  std::vector<std::int64_t> rows;
  const auto *x = a.const_data_ptr<std::int64_t>(), *y = b.const_data_ptr<std::int64_t>();
  std::set_union(x, x + a.numel(), y, y + b.numel(), std::back_inserter(rows));
  return at::tensor(rows, at::kLong);
}

void check_vocabulary(const TextVocabulary& vocabulary) {
  for (const auto token : {vocabulary.begin, vocabulary.end}) {
    if (token < 0 || token >= vocabulary.size) {
      throw std::invalid_argument(
          "the token " + std::to_string(token) +
          " that begins or ends a summary is outside of the vocabulary of " +
          std::to_string(vocabulary.size) + " tokens; use a tokenizer that has both");
    }
  }
}

}  // namespace

SummarizerModel::SummarizerModel(const ModelConfig& config, const TextVocabulary& vocabulary,
                                 std::uint64_t seed, at::ScalarType dtype)
    : SummarizerModel(config, vocabulary,
                      nn::ParameterStore(seed, dtype, config.source.initial_deviation)) {}

SummarizerModel::SummarizerModel(const ModelConfig& config, const TextVocabulary& vocabulary,
                                 nn::ParameterStore store)
    : config_(config),
      vocabulary_(vocabulary),
      store_(std::move(store)),
      embedding_(config.source.embedding(vocabulary.size), store_, "embedding"),
      target_embedding_(config.target_embedding(vocabulary.size), store_, "target_embedding",
                        "embedding"),
      encoder_(config.source.encoder, store_, "encoder"),
      decoder_(config.decoder_config(), store_, "decoder") {
  check_vocabulary(vocabulary);
  const auto width = config.source.encoder.width;
  output_weight_ = config.decoder.tied ? embedding_.tokens()
                                       : store_.normal("output.weight", {vocabulary.size, width});
  output_bias_ = store_.constant("output.bias", {vocabulary.size}, 0);
  if (config.decoder.copy) copy_ = CopyHead(store_, "copy", width);
  store_.finish();
}

at::Tensor SummarizerModel::encode(std::span<const std::int32_t> ids, const nn::Offsets& offsets,
                                   bool training) const {
  auto x = embedding_.forward(ids, offsets, training);
  if (!training && !at::GradMode::is_enabled()) return encoder_.infer(x, offsets);
  return encoder_.forward(std::move(x), offsets, training, nullptr);
}

at::Tensor SummarizerModel::loss(const PairBatch& batch, double label_smoothing,
                                 bool training) const {
  check_batch(batch, config_.decoder.max_positions);
  const auto rows = target_rows(batch, vocabulary_);
  const nn::Offsets offsets(batch.source.offsets), target_offsets(rows.offsets);
  const auto memory = encode(batch.source.ids, offsets, training);
  const auto input = target_embedding_.forward(rows.inputs, target_offsets, training);
  const auto decoded = decoder_.forward(input, target_offsets, memory, offsets, training);
  if (!copy_) {
    return nn::vocabulary_loss(decoded, output_weight_, output_bias_, rows.outputs, target_offsets,
                               label_smoothing, nullptr);
  }
  const auto query = copy_.query.forward(decoded), key = copy_.keys(memory, offsets);
  const auto context = nn::attend_rows(query, key, memory, 1, target_offsets, offsets);
  const nn::CopyInputs copy{query, key, copy_.gate_logits(context, decoded, input),
                            batch.source.ids, offsets};
  return nn::vocabulary_loss(decoded, output_weight_, output_bias_, rows.outputs, target_offsets,
                             label_smoothing, &copy);
}

WritingState SummarizerModel::begin(std::span<const std::int32_t> ids,
                                    const nn::Offsets& offsets) const {
  const c10::NoGradGuard no_gradients;
  auto memory = encode(ids, offsets, /*training=*/false);
  WritingState state{decoder_.begin(memory, offsets), {}, {}, {}};
  if (copy_) {
    state.copy_keys = copy_.keys(memory, offsets);
    state.memory = std::move(memory);
    state.tokens = {ids, offsets};
  }
  return state;
}

at::Tensor SummarizerModel::step(std::span<const std::int32_t> tokens, WritingState& state) const {
  const c10::NoGradGuard no_gradients;
  const auto input = target_embedding_.forward_at(tokens, state.decoder.length());
  const auto decoded = decoder_.step(input, state.decoder);
  const auto logits = nn::affine(decoded, output_weight_, output_bias_, kernels::token_operands());
  auto log_p = at::log_softmax(logits, 1);
  if (copy_) mix(decoded, input, state, log_p);
  return log_p;
}

// log_p [H, V] of generating becomes that of the mixture.
void SummarizerModel::mix(const at::Tensor& decoded, const at::Tensor& input,
                          const WritingState& state, const at::Tensor& log_p) const {
  const auto offsets = state.decoder.document_offsets();
  const auto hypotheses = state.decoder.hypothesis_offsets();
  const auto query = copy_.query.forward(decoded);
  const auto scale = 1 / std::sqrt(static_cast<double>(decoded.size(1)));
  auto context = at::zeros_like(decoded);
  std::vector<at::Tensor> weights(static_cast<std::size_t>(offsets.size()));
  kernels::parallel_for(0, offsets.size(), 1, [&](std::int64_t begin, std::int64_t end) {
    const c10::NoGradGuard no_gradients;  // a thread has its own
    for (auto b = begin; b < end; ++b) {
      const auto first = hypotheses.begin_of(b), count = hypotheses.length(b);
      const auto row = offsets.begin_of(b), length = offsets.length(b);
      if (count == 0 || length == 0) continue;
      const auto key = state.copy_keys.narrow(0, row, length);
      weights[b] = at::softmax(at::mm(query.narrow(0, first, count), key.t()) * scale, 1);
      context.narrow(0, first, count)
          .copy_(at::mm(weights[b], state.memory.narrow(0, row, length)));
    }
  });
  const auto gate = copy_.gate_logits(context, decoded, input);
  AT_DISPATCH_FLOATING_TYPES(log_p.scalar_type(), "mix", [&] {
    auto* out = log_p.mutable_data_ptr<scalar_t>();
    const auto* gates = gate.const_data_ptr<scalar_t>();
    kernels::parallel_for(0, log_p.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
      std::vector<scalar_t> mass;
      for (auto i = begin; i < end; ++i) {
        const auto b = state.decoder.documents()[i];
        if (offsets.length(b) == 0) continue;
        const auto* row = weights[b].const_data_ptr<scalar_t>() +
                          (i - hypotheses.begin_of(b)) * offsets.length(b);
        state.tokens.sum(b, row, mass);
        nn::mix_copied<scalar_t>({state.tokens.tokens(b), mass}, gates[i],
                                 out + i * vocabulary_.size, vocabulary_.size);
      }
    });
  });
}

SummaryTrace SummarizerModel::trace(std::span<const std::int32_t> ids,
                                    std::span<const std::int32_t> summary) const {
  if (summary.empty()) {
    throw std::invalid_argument("a summary without tokens has no weights; give one with tokens");
  }
  const c10::NoGradGuard no_gradients;
  std::vector<std::int32_t> inputs = {vocabulary_.begin};
  inputs.insert(inputs.end(), summary.begin(), summary.end() - 1);
  const std::array<std::int64_t, 2> source = {0, std::ssize(ids)}, target = {0, std::ssize(inputs)};
  const nn::Offsets offsets(source), target_offsets(target);
  const auto memory = encode(ids, offsets, /*training=*/false);
  const auto input = target_embedding_.forward(inputs, target_offsets, /*training=*/false);
  SummaryTrace result;
  const auto decoded = decoder_.forward(input, target_offsets, memory, offsets,
                                        /*training=*/false, copy_ ? nullptr : &result.weights);
  if (!copy_) return result;
  result.weights =
      nn::attention_weights(copy_.query.forward(decoded), copy_.keys(memory, offsets), /*heads=*/1);
  const auto context = at::mm(result.weights, memory);
  result.gates = at::sigmoid(copy_.gate_logits(context, decoded, input)).squeeze(1);
  if (ids.empty()) result.gates.fill_(1);  // as in mix_copied()
  return result;
}

std::set<std::string> SummarizerModel::row_sparse_parameters() const {
  std::set<std::string> names;
  if (!config_.decoder.tied) names.insert("embedding.token.weight");
  if (config_.source.bigram_buckets > 0) names.insert("embedding.bigram.weight");
  if (config_.source.max_positions > 0) names.insert("embedding.position.weight");
  if (config_.decoder.max_positions > 0) names.insert("target_embedding.position.weight");
  return names;
}

std::vector<std::pair<std::string, at::Tensor>> SummarizerModel::touched_rows(
    const PairBatch& batch) const {
  check_batch(batch, config_.decoder.max_positions);
  const auto targets = target_rows(batch, vocabulary_);
  std::map<std::string, at::Tensor> rows;
  const auto add = [&](const auto& touched) {
    for (const auto& [name, indices] : touched) {
      const auto [entry, added] = rows.try_emplace(name, indices);
      if (!added) entry->second = merged(entry->second, indices);
    }
  };
  add(embedding_.touched_rows(batch.source.ids, nn::Offsets(batch.source.offsets)));
  add(target_embedding_.touched_rows(targets.inputs, nn::Offsets(targets.offsets)));
  if (config_.decoder.tied) rows.erase("embedding.token.weight");
  return {rows.begin(), rows.end()};
}

SummarizerContent SummarizerContent::load(const std::filesystem::path& directory) {
  SummarizerContent content;
  ModelConfig config;
  base::read_model_config(directory, kModelKind, {"model", "search", "data"},
                          [&](const base::ConfigTree& tree) {
                            config = ModelConfig::read(tree);
                            tree.read_section("search", content.search);
                            tree.read_section("data", content.data_config);
                          });
  content.tokenizer = text::load_tokenizer(directory);
  content.model = std::make_unique<SummarizerModel>(
      config, vocabulary_of(*content.tokenizer),
      nn::ParameterStore::from_file(directory / base::kWeightsFile));
  return content;
}

void save_summarizer(const std::filesystem::path& directory, const SummarizerParts& parts,
                     const std::string& card) {
  base::ConfigTree tree;
  tree.write_section("model", parts.model.config());
  tree.write_section("search", parts.search);
  tree.write_section("data", parts.data_config);
  base::write_model_directory(
      directory, kModelKind, tree, card, [&](const std::filesystem::path& fresh) {
        nn::save_tensors(fresh / base::kWeightsFile, parts.model.parameters(), {{"format", "pt"}});
        parts.tokenizer.save(fresh);
      });
}

}  // namespace fastformer::summarization

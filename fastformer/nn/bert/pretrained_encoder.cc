#include "fastformer/nn/bert/pretrained_encoder.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <stdexcept>

#include "fastformer/nn/bert/bert_weights.h"
#include "fastformer/nn/layers/additive_pooling.h"
#include "fastformer/text/bert_tokenizer.h"

namespace fastformer::nn {
namespace {

constexpr std::size_t kBatch = 32;  // texts

}  // namespace

at::Tensor pool_sentences(const at::Tensor& x, const Offsets& offsets, SentencePooling pooling) {
  check_rows(x, offsets);
  for (std::int64_t b = 0; b < offsets.size(); ++b) {
    TORCH_CHECK(offsets.length(b) > 0,
                "expected at least one token in each sequence, but sequence ", b, " is empty");
  }
  if (pooling == SentencePooling::kFirst) {
    const auto firsts = offsets.values().first(static_cast<std::size_t>(offsets.size()));
    return x.index_select(0, at::tensor(at::ArrayRef(firsts.data(), firsts.size()), at::kLong));
  }
  // The softmax of equal logits is the mean.
  const auto logits = at::zeros({x.size(0), 1}, x.options().requires_grad(false));
  return pool_by_logits(x, logits, offsets).vectors;
}

PretrainedEncoder PretrainedEncoder::open(const std::filesystem::path& folder, FineTuning tuning,
                                          at::ScalarType dtype) {
  const auto config = model::BertConfig::load(folder / "config.json");
  PretrainedEncoder result;
  result.tokenizer_ = text::load_bert_tokenizer(folder);
  const auto tokens = result.tokenizer_->vocabulary_size();
  if (tokens > config.vocabulary_size) {
    throw std::invalid_argument(folder.string() + ": its vocabulary has " + std::to_string(tokens) +
                                " tokens, but the vocab_size of config.json is " +
                                std::to_string(config.vocabulary_size) +
                                "; use both files of the same model");
  }
  const auto weights = std::make_shared<BertWeights>(folder);
  ParameterStore store(/*seed=*/0, dtype);
  store.read_from("", weights);
  result.encoder_ = std::make_unique<BertEncoder>(config, store, "", tuning);
  result.unused_ = weights->unused();
  return result;
}

at::Tensor PretrainedEncoder::sentence_vectors(std::span<const std::string> texts,
                                               SentencePooling pooling) const {
  const at::NoGradGuard no_gradient;
  const auto limit = static_cast<std::size_t>(encoder_->config().max_positions);
  const auto& first = encoder_->parameters().begin()->second;
  const auto result = at::empty({static_cast<std::int64_t>(texts.size()), encoder_->config().width},
                                first.options().requires_grad(false));
  for (std::size_t i = 0; i < texts.size(); i += kBatch) {
    std::vector<std::int32_t> ids;
    std::vector<std::int64_t> ends = {0};
    for (const auto& text : texts.subspan(i, std::min(kBatch, texts.size() - i))) {
      tokenizer_->encode(text, ids, limit);
      ends.push_back(std::ssize(ids));
    }
    const Offsets offsets(ends);
    const auto rows =
        pool_sentences(encoder_->forward(ids, offsets, /*training=*/false), offsets, pooling);
    result.narrow(0, static_cast<std::int64_t>(i), rows.size(0))
        .copy_(rows / rows.norm(2, {1}, /*keepdim=*/true));
  }
  return result;
}

}  // namespace fastformer::nn

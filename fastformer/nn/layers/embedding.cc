#include "fastformer/nn/layers/embedding.h"

#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>

#include "fastformer/kernels/row_blocks.h"
#include "fastformer/nn/layers/dropout.h"
#include "fastformer/nn/layers/lookup.h"
#include "fastformer/nn/layers/ragged_ops.h"

namespace fastformer::nn {

Embedding::Embedding(const model::EmbeddingOptions& options, ParameterStore& store,
                     const std::string& name, const std::string& tokens)
    : options_(options),
      name_(name),
      token_name_((tokens.empty() ? name : tokens) + ".token.weight") {
  const auto width = options.width;
  token_ = store.normal(token_name_, {options.vocabulary_size, width}, options.deviation);
  if (options.max_positions > 0) {
    position_ =
        store.normal(name + ".position.weight", {options.max_positions, width}, options.deviation);
  }
  if (options.bigram_buckets > 0) {
    bigram_ = store.normal(name + ".bigram.weight", {options.bigram_buckets, width},
                           options.bigram_deviation);
  }
  if (options.normalization) norm_ = LayerNorm(store, name + ".normalization", options.width);
}

at::Tensor Embedding::buckets(std::span<const std::int32_t> ids, const Offsets& offsets) const {
  auto buckets = at::zeros({static_cast<std::int64_t>(ids.size())}, at::kLong);
  auto* out = buckets.mutable_data_ptr<std::int64_t>();
  for (std::int64_t b = 0; b < offsets.size(); ++b) {
    const auto first = offsets.begin_of(b);
    for (std::int64_t i = first + 1; i < first + offsets.length(b); ++i) {
      out[i] = model::bigram_bucket(ids[i - 1], ids[i], options_.bigram_buckets);
    }
  }
  return buckets;
}

// Factors of the bigram rows: 0 for the first token of a sequence, which has no predecessor, and
// for dropped pairs.
at::Tensor Embedding::bigram_scale(const Offsets& offsets, bool training) const {
  auto scale = at::ones({offsets.total()}, bigram_.options().requires_grad(false));
  if (training && options_.bigram_dropout > 0) {
    const double kept = 1 - options_.bigram_dropout;
    scale.bernoulli_(kept).div_(kept);
  }
  return scale.index_fill_(0, first_rows(offsets), 0);
}

at::Tensor Embedding::forward(std::span<const std::int32_t> ids, const Offsets& offsets,
                              bool training) const {
  std::vector<Lookup> lookups = {{token_, token_indices(ids, options_.vocabulary_size), {}}};
  if (bigram_.defined()) {
    lookups.push_back({bigram_, buckets(ids, offsets), bigram_scale(offsets, training)});
  }
  if (position_.defined()) {
    const char* advice = "set data.max_tokens, or model.max_positions = 0";
    lookups.push_back({position_, position_indices(offsets, options_.max_positions, advice), {}});
  }
  const auto x = sum_of_rows(lookups);
  if (!at::GradMode::is_enabled() && !training) return normalized_in_place(x);
  const auto y = norm_ ? norm_.forward(x) : x;
  return training && options_.dropout > 0 ? dropout(y, options_.dropout) : y;
}

at::Tensor Embedding::forward_at(std::span<const std::int32_t> ids, std::int64_t position) const {
  TORCH_CHECK(!bigram_.defined(), "expected an embedding without pairs of tokens");
  const auto indices = token_indices(ids, options_.vocabulary_size);
  std::vector<Lookup> lookups = {{token_, indices, {}}};
  if (position_.defined()) lookups.push_back({position_, at::full_like(indices, position), {}});
  return normalized_in_place(sum_of_rows(lookups));
}

// Frees the memory: a document of a million tokens must not be stored twice.
at::Tensor Embedding::normalized_in_place(const at::Tensor& x) const {
  if (!norm_) return x;
  kernels::for_each_row_block(x.size(0), [&](std::int64_t, std::int64_t first, std::int64_t n) {
    const c10::InferenceMode inference;
    const auto rows = x.narrow(0, first, n);
    rows.copy_(norm_.forward(rows));
  });
  return x;
}

std::vector<std::pair<std::string, at::Tensor>> Embedding::touched_rows(
    std::span<const std::int32_t> ids, const Offsets& offsets) const {
  std::vector<std::pair<std::string, at::Tensor>> rows;
  rows.emplace_back(token_name_, touched_tokens(ids));
  if (bigram_.defined()) {
    rows.emplace_back(name_ + ".bigram.weight", sorted_unique(buckets(ids, offsets)));
  }
  if (position_.defined()) {
    rows.emplace_back(name_ + ".position.weight",
                      touched_positions(offsets, options_.max_positions));
  }
  return rows;
}

}  // namespace fastformer::nn

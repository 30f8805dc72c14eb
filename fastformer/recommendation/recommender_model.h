#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "fastformer/nn/bert/bert_encoder.h"
#include "fastformer/nn/layers/embedding.h"
#include "fastformer/nn/parameter_store.h"
#include "fastformer/recommendation/collaborative/click_scores.h"
#include "fastformer/recommendation/data_config.h"
#include "fastformer/recommendation/item_batch.h"
#include "fastformer/recommendation/item_table.h"
#include "fastformer/recommendation/matcher.h"
#include "fastformer/recommendation/model_config.h"
#include "fastformer/text/tokenizer.h"

namespace fastformer::recommendation {

/// The recommender (Wu et al., arXiv 2108.09084, section 4.1): a word embedding or a pre-trained
/// encoder, a title encoder, and a matcher of clicked items and candidates.
///
///   const RecommenderModel model(config, tokenizer->vocabulary_size(), /*seed=*/1);
///   model.loss(sampler.batch(i), /*training=*/true).backward();
///
/// Each distinct title of a batch is encoded once, forward and backward. Only an optimizer changes
/// the parameters; otherwise the model is immutable and safe to share between threads.
class RecommenderModel {
 public:
  /// The parameters of a pre-trained encoder are read from its folder, the others are drawn. Throws
  /// std::invalid_argument if a pre-trained encoder has another vocabulary, or fewer layers than
  /// are to be trained, and as nn::BertWeights does.
  RecommenderModel(const ModelConfig& config, std::int64_t vocabulary_size, std::uint64_t seed,
                   at::ScalarType dtype = at::kFloat);
  /// Uses the parameters of `store`, for example those of a file.
  RecommenderModel(const ModelConfig& config, std::int64_t vocabulary_size,
                   nn::ParameterStore store);

  /// The mean over the clicks of -log softmax of the click's score among its candidates. The first
  /// candidate of each user must be the click, and all users must have equally many candidates.
  /// `training` turns dropout on, which draws from LibTorch's default generator. `frozen`, if
  /// defined, is the result of frozen_rows() for the batch. Throws c10::Error for lists of unequal
  /// lengths.
  at::Tensor loss(const ItemBatch& batch, bool training, const at::Tensor& frozen = {}) const;
  /// The scores of the candidates, [C].
  at::Tensor scores(const ItemBatch& batch, bool training, const at::Tensor& frozen = {}) const;

  /// Inference in two steps: titles -> rows [N, e], and lists of such rows -> scores [C].
  at::Tensor encode_items(std::span<const std::int32_t> token_ids, const nn::Offsets& offsets,
                          bool training = false) const;
  at::Tensor score(const at::Tensor& items, const ItemLists& histories,
                   const ItemLists& candidates) const;
  /// The output of the frozen layers of a pre-trained encoder: rows [T, e], the same in every step
  /// (see FrozenTitles). Throws std::logic_error if the model has none.
  bool has_frozen_rows() const;
  at::Tensor frozen_rows(std::span<const std::int32_t> token_ids, const nn::Offsets& offsets) const;
  /// Vectors of users, [B, d]. Throws std::invalid_argument for a model without user vectors (fim).
  at::Tensor encode_users(const at::Tensor& items, const ItemLists& histories) const;
  /// Whether an encoded item is a single vector, so that the vectors of a whole data set fit into
  /// memory.
  bool has_vectors() const { return matcher_->has_vectors(); }

  const nn::ParameterMap& parameters() const { return store_.parameters(); }
  /// The trained parameters, without frozen ones, which an optimizer would change too.
  const nn::ParameterMap& trained_parameters() const { return trained_; }
  /// The factor on the learning rate for a parameter.
  double learning_rate_factor(const std::string& parameter) const;
  /// The tables with sparse gradients, and the rows of them that a batch uses.
  std::set<std::string> row_sparse_parameters() const;
  std::vector<std::pair<std::string, at::Tensor>> touched_rows(const ItemBatch& batch) const;

  const ModelConfig& config() const { return config_; }

 private:
  ModelConfig config_;
  nn::ParameterStore store_;
  std::variant<nn::Embedding, nn::BertEncoder> words_;
  std::unique_ptr<ItemMatcher> matcher_;
  nn::ParameterMap trained_;
};

/// The content of a recommender's model directory, see base/model_directory.h: config.json with the
/// sections `model`, `data` (how the training files were read) and, for a pre-trained encoder,
/// `pretrained`; the parameters; the tokenizer; and with model.items.members the files of
/// ClickScores.
struct RecommenderContent {
  DataConfig data_config;
  std::unique_ptr<text::Tokenizer> tokenizer;
  std::unique_ptr<RecommenderModel> model;
  std::shared_ptr<const ClickScores> clicks;  ///< null without model.items.members

  /// Throws std::invalid_argument with one sentence for a directory that is missing, incomplete,
  /// damaged, or of another kind or version.
  static RecommenderContent load(const std::filesystem::path& directory);
};

/// The result of `kind_of_model` for a recommender's directory.
inline constexpr const char* kModelKind = "recommender";

/// Writes the model directory; `card` is Markdown. `clicks` is null for a model without
/// model.items.members. Throws std::invalid_argument if it is null for another, and
/// std::runtime_error if a file cannot be written.
void save_recommender(const std::filesystem::path& directory, const DataConfig& data_config,
                      const text::Tokenizer& tokenizer, const RecommenderModel& model,
                      const ClickScores* clicks, const std::string& card);

/// Encodes the titles of `items` in batches, without gradients: one row per item, [N, e]. The
/// numbers in `items` must be distinct. Throws as ItemBatchBuilder does for a number without a
/// title.
at::Tensor encode_titles(const RecommenderModel& model, const TitleTokens& titles,
                         std::span<const std::int32_t> items);

}  // namespace fastformer::recommendation

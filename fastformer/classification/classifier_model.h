#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "fastformer/classification/data_config.h"
#include "fastformer/classification/pretrained/pretrained_tokens.h"
#include "fastformer/data/batch.h"
#include "fastformer/linear/linear_part.h"
#include "fastformer/model/classifier_config.h"
#include "fastformer/nn/layers/additive_pooling.h"
#include "fastformer/nn/layers/embedding.h"
#include "fastformer/nn/layers/encoder.h"
#include "fastformer/nn/layers/linear.h"
#include "fastformer/runtime/classifier_frame.h"
#include "fastformer/text/tokenizer.h"

namespace fastformer::classification {

/// The weights of a batch's tokens, for explanations.
struct ClassifierTrace {
  std::vector<nn::MixerTrace> layers;
  at::Tensor pooling_weights;  ///< [T, 1]
  at::Tensor encoded;          ///< [T, d], the input of the pooling
};

/// The vectors of a batch's tokens between the embedding and the encoder.
struct TokenVectors {
  at::Tensor rows;                    ///< [T, d]
  std::vector<std::int64_t> offsets;  ///< [B+1], as in data::TokenBatch
};

/// Text classification (Wu et al., arXiv 2108.09084, section 4.2): embedding, or token vectors of a
/// pre-trained encoder; Fastformer encoder, additive pooling, one linear layer.
///
///   const ClassifierModel model(config, tokenizer->vocabulary_size(), labels.size(), /*seed=*/1);
///   const at::Tensor logits = model.forward(batch, /*training=*/false);  // [B, classes]
///
/// A document without tokens is pooled to the zero vector. Only an optimizer changes the
/// parameters; otherwise the model is immutable and safe to share between threads.
class ClassifierModel {
 public:
  ClassifierModel(const model::ClassifierConfig& config, std::int64_t vocabulary_size,
                  std::int64_t classes, std::uint64_t seed, at::ScalarType dtype = at::kFloat);
  /// Uses the parameters of `store`, for example those of a file.
  ClassifierModel(const model::ClassifierConfig& config, std::int64_t vocabulary_size,
                  std::int64_t classes, nn::ParameterStore store);

  /// Logits [B, classes]. `training` turns dropout on, which draws from LibTorch's default
  /// generator. `trace` may be null; use it only if `training` is false. `frozen`: the result of
  /// frozen_rows() for the same batch, or undefined.
  at::Tensor forward(const data::TokenBatch& batch, bool training, ClassifierTrace* trace = nullptr,
                     const at::Tensor& frozen = {}) const;
  /// The two halves of forward(). In training, the first one drops tokens.
  TokenVectors token_vectors(const data::TokenBatch& batch, bool training,
                             const at::Tensor& frozen = {}) const;
  at::Tensor forward(TokenVectors tokens, bool training, ClassifierTrace* trace = nullptr) const;
  /// Vectors of documents [B, d], the input of the linear layer; for inference.
  at::Tensor embed(const data::TokenBatch& batch) const;

  /// Whether the model has a pre-trained encoder with frozen layers.
  bool has_frozen_rows() const;
  /// The output of these layers for a batch, see PretrainedTokens::frozen_rows(); training does not
  /// change it. Throws std::logic_error without frozen layers.
  at::Tensor frozen_rows(const data::TokenBatch& batch) const;
  /// The number of its rows for a document of `length` tokens. Throws in the same way.
  std::int64_t frozen_rows_of(std::int64_t length) const;

  /// All parameters, and those that training changes.
  const nn::ParameterMap& parameters() const { return store_.parameters(); }
  const nn::ParameterMap& trained() const { return trained_; }
  /// The tables with sparse gradients, and the rows of them that a batch uses.
  std::set<std::string> row_sparse_parameters() const;
  std::vector<std::pair<std::string, at::Tensor>> touched_rows(const data::TokenBatch& batch) const;

  const model::ClassifierConfig& config() const { return config_; }
  std::int64_t classes() const { return classes_; }

 private:
  const PretrainedTokens& with_frozen_rows() const;
  at::Tensor pool(TokenVectors tokens, bool training, ClassifierTrace* trace) const;

  model::ClassifierConfig config_;
  std::int64_t classes_;
  nn::ParameterStore store_;
  std::variant<nn::Embedding, PretrainedTokens> tokens_;
  nn::Encoder encoder_;
  nn::AdditivePooling pooling_;
  nn::Linear classifier_;
  nn::ParameterMap trained_;
};

/// The content of a classifier's model directory, see base/model_directory.h: config.json with the
/// sections `classifier`, `model` and `data` (how the training files were read), the parameters,
/// and the tokenizer.
struct ClassifierContent : runtime::ClassifierFrame {
  DataConfig data_config;
  std::unique_ptr<ClassifierModel> model;

  /// Throws std::invalid_argument with one sentence for a directory that is missing, incomplete,
  /// damaged, or of another kind or version.
  static ClassifierContent load(const std::filesystem::path& directory);
};

/// References to the parts of a classifier that are saved.
struct ClassifierParts {
  const std::vector<std::string>& labels;
  std::int64_t max_tokens;
  const DataConfig& data_config;
  const text::Tokenizer& tokenizer;
  const ClassifierModel& model;
  const std::optional<linear::LinearPart>& linear;
  std::vector<double> thresholds = {};  ///< ClassifierContent::thresholds
};

/// Writes the model directory; `card` is Markdown. `write_weights` gets the path of the parameters'
/// file; by default they are written as they are. Throws std::runtime_error if a file cannot be
/// written.
void save_classifier(const std::filesystem::path& directory, const ClassifierParts& parts,
                     const std::string& card,
                     const std::function<void(const std::filesystem::path&)>& write_weights = {});

}  // namespace fastformer::classification

#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fastformer/base/config_tree.h"
#include "fastformer/classification/data_config.h"
#include "fastformer/classification/linear_part.h"
#include "fastformer/data/batch.h"
#include "fastformer/nn/layers/additive_pooling.h"
#include "fastformer/nn/layers/embedding.h"
#include "fastformer/nn/layers/encoder.h"
#include "fastformer/nn/layers/linear.h"
#include "fastformer/nn/text_encoder_config.h"
#include "fastformer/text/tokenizer.h"

namespace fastformer::classification {

/// The recipe's [model] section.
struct ModelConfig {
  nn::TextEncoderConfig text;
  double token_dropout = 0;

  void visit_fields(base::FieldVisitor& visit);
  /// Throws std::invalid_argument with one sentence.
  void validate() const { text.validate(); }

  /// The preset that the section names, overridden by the other fields of the section. Throws as
  /// ConfigTree::read_section does.
  static ModelConfig read(const base::ConfigTree& tree);
};

/// The weights of a batch's tokens, for explanations.
struct ClassifierTrace {
  std::vector<nn::MixerTrace> layers;
  at::Tensor pooling_weights;  ///< [T, 1]
  at::Tensor encoded;          ///< [T, d], the input of the pooling
};

/// Text classification (Wu et al., arXiv 2108.09084, section 4.2): embedding, Fastformer encoder,
/// additive pooling, one linear layer.
///
///   const ClassifierModel model(config, tokenizer->vocabulary_size(), labels.size(), /*seed=*/1);
///   const at::Tensor logits = model.forward(batch, /*training=*/false);  // [B, classes]
///
/// A document without tokens is pooled to the zero vector. Only an optimizer changes the
/// parameters; otherwise the model is immutable and safe to share between threads.
class ClassifierModel {
 public:
  ClassifierModel(const ModelConfig& config, std::int64_t vocabulary_size, std::int64_t classes,
                  std::uint64_t seed, at::ScalarType dtype = at::kFloat);
  /// Uses the parameters of `store`, for example those of a file.
  ClassifierModel(const ModelConfig& config, std::int64_t vocabulary_size, std::int64_t classes,
                  nn::ParameterStore store);

  /// Logits [B, classes]. `training` turns dropout on, which draws from LibTorch's default
  /// generator. `trace` may be null; use it only if `training` is false.
  at::Tensor forward(const data::TokenBatch& batch, bool training,
                     ClassifierTrace* trace = nullptr) const;
  /// Vectors of documents [B, d], the input of the linear layer; for inference.
  at::Tensor embed(const data::TokenBatch& batch) const;

  const nn::ParameterMap& parameters() const { return store_.parameters(); }
  /// The tables with sparse gradients, and the rows of them that a batch uses.
  std::set<std::string> row_sparse_parameters() const;
  std::vector<std::pair<std::string, at::Tensor>> touched_rows(const data::TokenBatch& batch) const;

  const ModelConfig& config() const { return config_; }
  std::int64_t classes() const { return classes_; }

 private:
  at::Tensor pool(const data::TokenBatch& batch, bool training, ClassifierTrace* trace) const;

  ModelConfig config_;
  std::int64_t classes_;
  nn::ParameterStore store_;
  nn::Embedding embedding_;
  nn::Encoder encoder_;
  nn::AdditivePooling pooling_;
  nn::Linear classifier_;
};

/// The content of a classifier's model directory, see base/model_directory.h: config.json with the
/// sections `classifier`, `model` and `data` (how the training files were read), the parameters,
/// and the tokenizer.
struct ClassifierContent {
  std::vector<std::string> labels;  ///< the classes, in the order of the logits
  /// With several labels per document: the probability from which each of `labels` is predicted,
  /// thresholds.json. Empty: the labels are classes, of which a document has one.
  std::vector<double> thresholds;
  std::int64_t max_tokens = 0;  ///< documents are truncated to this length; 0: no limit
  DataConfig data_config;
  std::unique_ptr<text::Tokenizer> tokenizer;
  std::unique_ptr<ClassifierModel> model;
  std::optional<LinearPart> linear;  ///< linear.safetensors; nullopt: only the network

  /// Throws std::invalid_argument with one sentence for a directory that is missing, incomplete,
  /// damaged, or of another kind or version.
  static ClassifierContent load(const std::filesystem::path& directory);

  bool several_labels() const { return !thresholds.empty(); }
};

/// The result of `kind_of_model` for a classifier's directory.
inline constexpr const char* kModelKind = "classifier";

/// References to the parts of a classifier that are saved.
struct ClassifierParts {
  const std::vector<std::string>& labels;
  std::int64_t max_tokens;
  const DataConfig& data_config;
  const text::Tokenizer& tokenizer;
  const ClassifierModel& model;
  const std::optional<LinearPart>& linear;
  std::vector<double> thresholds = {};  ///< ClassifierContent::thresholds
};

/// Writes the model directory; `card` is Markdown. Throws std::runtime_error if a file cannot be
/// written.
void save_classifier(const std::filesystem::path& directory, const ClassifierParts& parts,
                     const std::string& card);

}  // namespace fastformer::classification

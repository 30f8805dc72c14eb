#pragma once

#include <filesystem>

#include "fastformer/nn/parameter_store.h"

namespace fastformer::classification {

/// Converts the parameter names of a text classifier to those of the published PyTorch code
/// (github.com/wuch15/Fastformer), and back:
///   embedding.token.weight                 word_embedding.weight
///   encoder.layers.0.attention.query.bias  fastformer_model.encoders.0.attention.self.query.bias
///   classifier.weight                      dense_linear.weight
///
///   const auto state = to_authors_names(model.parameters());
///
/// Throws std::invalid_argument for a parameter that the other side does not have (token pairs, a
/// separate value projection).
nn::ParameterMap to_authors_names(const nn::ParameterMap& parameters);
nn::ParameterMap from_authors_names(const nn::ParameterMap& state);

/// Writes the weights of a model directory as safetensors, under the authors' names.
void export_weights(const std::filesystem::path& model, const std::filesystem::path& output);
/// Writes a model directory to `output`: the weights of `state` with the configuration, tokenizer
/// and labels of `model`. Throws std::invalid_argument if the shapes of the weights differ.
void import_weights(const std::filesystem::path& state, const std::filesystem::path& model,
                    const std::filesystem::path& output);

}  // namespace fastformer::classification

#pragma once

#include <cstdint>
#include <filesystem>

#include "fastformer/model/stored_parameter.h"

namespace fastformer::classification {

/// How a classifier is made smaller.
struct Quantization {
  model::Storage tables = model::Storage::kInt4;  ///< of the embeddings; the layers are kInt8
  /// Largest total size of the parameter files, in bytes; 0: no limit. To meet the limit, token
  /// pairs with small embeddings and n-grams with small weights are dropped. Each kind may use half
  /// of the bytes that the other parameters leave, and the token pairs have 4 bits.
  std::int64_t most_bytes = 0;
};

/// What became of a model's parameters.
struct QuantizationReport {
  std::int64_t bytes_before = 0, bytes_after = 0;  ///< of the files of parameters
  std::int64_t pairs_before = 0, pairs_after = 0;  ///< rows of the table of token pairs
  std::int64_t ngrams_before = 0, ngrams_after = 0;
};

/// The size of the files of parameters in a model directory, in bytes.
std::int64_t parameter_bytes(const std::filesystem::path& directory);

/// Writes the classifier of `model` to `output` with quantized parameters. It is an ordinary model
/// directory: the runtime multiplies its layers in 8 bits, LibTorch reads the numbers that the
/// bytes stand for. Throws std::invalid_argument for a model that cannot be read and for a limit
/// that is too small, std::runtime_error if a file cannot be written.
QuantizationReport quantize(const std::filesystem::path& model, const std::filesystem::path& output,
                            const Quantization& quantization);

}  // namespace fastformer::classification

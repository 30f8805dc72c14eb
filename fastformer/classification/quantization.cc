#include "fastformer/classification/quantization.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "fastformer/base/format.h"
#include "fastformer/base/model_directory.h"
#include "fastformer/base/safetensors.h"
#include "fastformer/classification/classifier_model.h"

namespace fastformer::classification {
namespace {

constexpr const char* kPairs = "embedding.bigram.weight";
// More than the header of the linear members' file has, which has few tensors, and what the header
// of the parameters grows by when offsets and numbers of rows have more digits.
constexpr std::int64_t kLinearHeader = 4096;
// Layers with fewer rows or columns gain nothing.
constexpr std::int64_t kLeastQuantized = 16;

std::span<const float> values_of(const at::Tensor& tensor) {
  return {tensor.const_data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

// The places of the `count` largest weights, ascending.
std::vector<std::int64_t> largest(const std::vector<double>& weights, std::int64_t count) {
  std::vector<std::int64_t> order(weights.size());
  std::iota(order.begin(), order.end(), std::int64_t{0});
  count = std::min(count, std::ssize(order));
  std::nth_element(order.begin(), order.begin() + count, order.end(), [&](auto a, auto b) {
    return weights[a] != weights[b] ? weights[a] > weights[b] : a < b;
  });
  order.resize(count);
  std::sort(order.begin(), order.end());
  return order;
}

// The table without all but its largest rows.
at::Tensor with_largest_rows(const at::Tensor& table, std::int64_t count) {
  const auto norms = table.norm(2, 1).to(at::kDouble);
  const auto* first = norms.const_data_ptr<double>();
  auto kept = at::zeros_like(table);
  for (const auto row : largest({first, first + norms.numel()}, count)) kept[row] = table[row];
  return kept;
}

std::int64_t rows_in_use(const at::Tensor& table) {
  return (table != 0).any(1).sum().item<std::int64_t>();
}

// The linear members without all but the n-grams with the largest weights.
linear::LinearPart with_largest_ngrams(const linear::LinearPart& part, std::int64_t count) {
  const auto& model = *part.model;
  std::vector<double> weights(model.table().size());
  for (std::size_t k = 0; k < model.members().size(); ++k) {
    const auto& member = model.members()[k];
    for (std::int64_t column = 0; column < model.table().size(); ++column) {
      double most = 0;
      for (std::int64_t c = 0; c < member.classes; ++c) {
        most = std::max(most, std::abs(member.weight(static_cast<std::int32_t>(column), c)));
      }
      weights[column] += std::abs(part.pool.coefficients[k + 1]) * member.scale[column] * most;
    }
  }
  return {
      .model = std::make_shared<linear::LinearModel>(model.with_columns(largest(weights, count))),
      .pool = part.pool};
}

// The tensors of a quantized file, and what they view.
class QuantizedFile {
 public:
  void add(const std::string& name, const at::Tensor& tensor, model::Storage tables) {
    const bool table = name.starts_with("embedding.") && tensor.dim() == 2;
    const bool layer =
        tensor.dim() == 2 && tensor.size(0) >= kLeastQuantized && tensor.size(1) >= kLeastQuantized;
    if (!table && !layer) {
      views_[name] = {"F32", tensor.sizes().vec(), std::as_bytes(values_of(tensor))};
      return;
    }
    const auto storage = name == kPairs ? tables : model::Storage::kInt8;
    kept_.emplace_back(model::quantize(values_of(tensor), tensor.size(1), storage))
        .add_to(views_, name);
  }

  std::int64_t bytes() const { return static_cast<std::int64_t>(base::safetensors_size(views_)); }
  void write(const std::filesystem::path& file) const { base::write_safetensors(file, views_); }

 private:
  std::deque<model::QuantizedParameter> kept_;
  std::map<std::string, base::TensorView> views_;
};

QuantizedFile quantized(const nn::ParameterMap& parameters, model::Storage tables) {
  QuantizedFile file;
  for (const auto& [name, tensor] : parameters) file.add(name, tensor, tables);
  return file;
}

std::int64_t size_of(const std::filesystem::path& file) {
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  return error ? 0 : static_cast<std::int64_t>(size);
}

}  // namespace

std::int64_t parameter_bytes(const std::filesystem::path& directory) {
  return size_of(directory / base::kWeightsFile) + size_of(directory / linear::kLinearFile);
}

QuantizationReport quantize(const std::filesystem::path& model, const std::filesystem::path& output,
                            const Quantization& quantization) {
  // Only the 4-bit format omits dropped rows.
  const auto tables = quantization.most_bytes > 0 ? model::Storage::kInt4 : quantization.tables;
  auto content = ClassifierContent::load(model);
  QuantizationReport report{.bytes_before = parameter_bytes(model)};
  nn::ParameterMap parameters;
  for (const auto& [name, tensor] : content.model->parameters()) {
    parameters[name] = tensor.detach().contiguous();
  }
  const auto pairs = parameters.find(kPairs);
  const bool has_pairs = pairs != parameters.end();
  if (has_pairs) report.pairs_before = rows_in_use(pairs->second);
  if (content.linear) report.ngrams_before = content.linear->model->table().size();

  if (quantization.most_bytes > 0) {
    const auto table = has_pairs ? pairs->second : at::Tensor();
    if (has_pairs) pairs->second = at::zeros_like(table);
    const auto rest =
        quantization.most_bytes - quantized(parameters, tables).bytes() - kLinearHeader;
    if (rest <= 0) {
      throw std::invalid_argument(base::format(
          "a model of %ld bytes is not possible: even without token pairs and n-grams it needs "
          "more "
          "than %ld bytes; set a larger size, or train with a smaller text.vocabulary_size or "
          "model.width",
          quantization.most_bytes, quantization.most_bytes - rest));
    }
    const auto share = content.linear && has_pairs ? rest / 2 : rest;
    if (has_pairs) {
      pairs->second = with_largest_rows(table, share / ((table.size(1) + 1) / 2 + 8));
    }
    if (content.linear) {
      std::int64_t per_ngram = 8;
      for (const auto& member : content.linear->model->members())
        per_ngram += 4 + 2 * member.classes;
      content.linear = with_largest_ngrams(*content.linear, share / per_ngram);
    }
  }
  if (has_pairs) report.pairs_after = rows_in_use(pairs->second);
  if (content.linear) report.ngrams_after = content.linear->model->table().size();
  const auto file = quantized(parameters, tables);
  const auto* bits = tables == model::Storage::kInt4 ? "4" : "8";
  const auto card =
      "# Text classifier\n\nQuantized: 8-bit layers and token embeddings" +
      (has_pairs ? base::format(", %s-bit embeddings of token pairs.\n", bits) : ".\n");
  save_classifier(output,
                  {content.labels, content.max_tokens, content.data_config, *content.tokenizer,
                   *content.model, content.linear, content.thresholds},
                  card, [&](const std::filesystem::path& path) { file.write(path); });
  report.bytes_after = parameter_bytes(output);
  return report;
}

}  // namespace fastformer::classification

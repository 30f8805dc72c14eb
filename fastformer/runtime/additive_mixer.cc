#include "fastformer/runtime/additive_mixer.h"

#include <algorithm>
#include <cmath>

#include "fastformer/kernels/products/matrix_product.h"
#include "fastformer/kernels/sequence_pooling.h"

namespace fastformer::runtime {
namespace {

using kernels::PackedMatrix;
using kernels::Transpose;
using Numbers = std::vector<float>;

constexpr auto kNo = Transpose::kNo, kYes = Transpose::kYes;

// From so many rows on, a matrix per sequence is sooner composed than a third product computed.
constexpr std::int64_t kLeastComposed = 6;

// [m, k] [k, n] -> [m, n], once per model.
Numbers product(const float* a, const float* b, std::int64_t m, std::int64_t n, std::int64_t k) {
  Numbers c(m * n);
  kernels::matrix_product<float>(kNo, kNo, m, n, k, a, k, b, n, {}, c.data(), n);
  return c;
}

// matrix [rows, columns] vector + added
Numbers affine(const float* matrix, std::int64_t rows, std::int64_t columns, std::int64_t stride,
               const float* vector, const float* added) {
  Numbers y(rows);
  for (std::int64_t i = 0; i < rows; ++i) {
    double sum = added[i];
    for (std::int64_t c = 0; c < columns; ++c) sum += double{matrix[i * stride + c]} * vector[c];
    y[i] = static_cast<float>(sum);
  }
  return y;
}

// Each row times `scale` [width].
void scale_rows(float* rows, std::int64_t n, std::int64_t width, const float* scale) {
  for (; n > 0; --n, rows += width) {
    for (std::int64_t c = 0; c < width; ++c) rows[c] *= scale[c];
  }
}

Numbers copy_of(std::span<const float> values) { return {values.begin(), values.end()}; }

Numbers identity(std::int64_t width) {
  Numbers matrix(width * width);
  for (std::int64_t i = 0; i < width; ++i) matrix[i * width + i] = 1;
  return matrix;
}

// Columns first .. first + width - 1 of rows that are twice as long.
Numbers half_of(std::span<const float> matrix, std::int64_t width, std::int64_t first) {
  Numbers half;
  for (std::int64_t i = 0; i < width; ++i) {
    const auto row = matrix.subspan(i * 2 * width + first, width);
    half.insert(half.end(), row.begin(), row.end());
  }
  return half;
}

// Of each head the rows of a weight [d, d], as the right side [d, e] of products.
std::vector<PackedMatrix> by_head(const float* weight, std::int64_t width, std::int64_t heads) {
  const auto own = width / heads;
  std::vector<PackedMatrix> packed;
  for (std::int64_t h = 0; h < heads; ++h) {
    packed.push_back(PackedMatrix::of(kYes, weight + h * own * width, width, width, own));
  }
  return packed;
}

// pooled [B, h, d] -> y [B, d]: each head through its own matrix.
void apply_by_head(const std::vector<PackedMatrix>& matrices, const float* bias,
                   const Numbers& pooled, std::int64_t sequences, std::int64_t width, float* y) {
  const auto heads = static_cast<std::int64_t>(matrices.size());
  const auto own = width / heads;
  for (std::int64_t h = 0; h < heads; ++h) {
    const float* row = bias == nullptr ? nullptr : bias + h * own;
    matrices[h].multiply(sequences, pooled.data() + h * width, heads * width, {.row = row},
                         y + h * own, width);
  }
}

// Memory of the calling thread, grown once and kept.
struct Buffers {
  Numbers pooled, statistics, queries, beta_queries, keys;  // of a batch
  Numbers q;                                                // of a block of rows
  PackedMatrix composed;
};
Buffers& buffers_of_thread() {
  thread_local Buffers buffers;
  return buffers;
}

}  // namespace

AdditiveMixer::AdditiveMixer(const model::EncoderConfig& config, model::ParameterFile& file,
                             const std::string& name, RowPrecision precision)
    : width_(config.width),
      heads_(config.heads),
      fields_(config.mixer.fields<model::AdditiveFields>()) {
  const auto d = width_, own = width_ / heads_;
  const bool full = fields_.logits == model::LogitColumns::kFull;
  const auto columns = full ? d : own, rows = fields_.share_heads ? 1 : heads_;
  const LinearWeights query(file, name + ".query", d, d, precision), key(file, name + ".key", d, d);
  const LinearWeights query_logits(file, name + ".query_logits", columns, rows);
  const LinearWeights key_logits(file, name + ".key_logits", columns, rows);
  LinearWeights value, key_interaction, value_interaction, output;
  if (!fields_.share_query_value) value = LinearWeights(file, name + ".value", d, d);
  const bool concat = fields_.interaction == model::Interaction::kConcat;
  if (concat) {
    key_interaction = LinearWeights(file, name + ".key_interaction", 2 * d, d);
    value_interaction = LinearWeights(file, name + ".value_interaction", 2 * d, d);
  }
  const LinearWeights transform(file, name + ".transform", d, d);
  if (config.output_projection) output = LinearWeights(file, name + ".output", d, d);
  const auto& used_value = value ? value : query;
  precision_ = query.precision;

  // Rows of logit layers, scaled; and as [h, d] with zeros in the columns of other heads.
  const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(own)));
  const auto logit_rows = [&](const LinearWeights& logits) {
    Numbers scaled;
    for (std::int64_t h = 0; h < heads_; ++h) {
      const auto row = std::span(logits.weight).subspan((rows == 1 ? 0 : h) * columns, columns);
      for (const float x : row) scaled.push_back(x * scale);
    }
    return scaled;
  };
  const auto logit_matrix = [&](const Numbers& scaled) {
    if (full) return scaled;
    Numbers matrix(heads_ * d);
    for (std::int64_t h = 0; h < heads_; ++h) {
      std::copy_n(&scaled[h * own], own, &matrix[h * d + h * own]);
    }
    return matrix;
  };
  alpha_queries_ =
      product(logit_matrix(logit_rows(query_logits)).data(), query.weight.data(), heads_, d, d);
  key_logits_ = logit_rows(key_logits);
  query_heads_ = by_head(query.weight.data(), d, heads_);
  query_bias_ = copy_of(query.bias);
  key_bias_ = copy_of(key.bias);
  value_bias_ = copy_of(used_value.bias);

  // The key as the interaction reads it.
  const auto key_half = concat ? half_of(key_interaction.weight, d, d) : Numbers();
  const auto key_weight =
      concat ? product(key_half.data(), key.weight.data(), d, d, d) : copy_of(key.weight);
  key_heads_ = by_head(key_weight.data(), d, heads_);
  if (concat) {
    const auto left = half_of(key_interaction.weight, d, 0);
    global_query_ = PackedMatrix::of(kYes, left.data(), d, d, d);
    global_query_constant_ =
        affine(key_half.data(), d, d, d, key.bias.data(), key_interaction.bias.data());
  }
  if (fields_.interaction != model::Interaction::kProduct) {
    beta_queries_ = product(logit_matrix(key_logits_).data(), key_weight.data(), heads_, d, d);
  } else if (full) {
    key_rows_.push_back(PackedMatrix::of(kNo, key_weight.data(), d, d, d));
  } else {
    for (std::int64_t h = 0; h < heads_; ++h) {
      key_rows_.push_back(PackedMatrix::of(kNo, &key_weight[h * own * d], d, own, d));
    }
  }

  // The last step, with the output projection folded in.
  outer_numbers_ = output ? product(output.weight.data(), transform.weight.data(), d, d, d)
                          : copy_of(transform.weight);
  constant_ = copy_of(transform.bias);
  for (std::int64_t c = 0; c < d; ++c) constant_[c] += query.bias[c];
  if (output) {
    constant_ = affine(output.weight.data(), d, d, d, constant_.data(), output.bias.data());
  }
  // What the queries go through beside P, and with the query's weight before it.
  const auto of_queries = output ? copy_of(output.weight) : identity(d);
  const auto direct = [&] { return product(of_queries.data(), query.weight.data(), d, d, d); };
  if (fields_.interaction == model::Interaction::kProduct) {
    direct_numbers_ = value ? direct() : of_queries;
    auto& rows_of = value ? value_ : query_;
    rows_of = RowMatrix(used_value.weight.data(), d, d, precision_);
    direct_ = RowMatrix(direct_numbers_.data(), d, d, precision_);
    outer_ = RowMatrix(outer_numbers_.data(), d, d, precision_);
    if (precision_ == RowPrecision::kFp32) {
      inner_rows_ = PackedMatrix::of(kNo, used_value.weight.data(), d, d, d);
    } else {
      global_outer_ = PackedMatrix::of(kYes, outer_numbers_.data(), d, d, d);
      outer_numbers_ = direct_numbers_ = {};
    }
    return;
  }
  auto inner = copy_of(used_value.weight);
  if (concat) {
    const auto right = half_of(value_interaction.weight, d, d);
    const auto left = half_of(value_interaction.weight, d, 0);
    inner = product(right.data(), used_value.weight.data(), d, d, d);
    global_value_ = PackedMatrix::of(kYes, left.data(), d, d, d);
    global_value_constant_ =
        affine(right.data(), d, d, d, used_value.bias.data(), value_interaction.bias.data());
  }
  global_outer_ = PackedMatrix::of(kYes, outer_numbers_.data(), d, d, d);
  auto matrix = product(outer_numbers_.data(), inner.data(), d, d, d);
  const auto added = direct();
  for (std::int64_t i = 0; i < d * d; ++i) matrix[i] += added[i];
  one_matrix_ = RowMatrix(matrix.data(), d, d, precision_);
  outer_numbers_ = {};
}

void AdditiveMixer::read(const float* x, std::span<const std::int64_t> offsets, Globals& globals,
                         LayerTrace* trace) const {
  const auto sequences = static_cast<std::int64_t>(offsets.size()) - 1;
  const auto d = width_, own = width_ / heads_;
  auto& buffers = buffers_of_thread();
  auto* pooled = sized(buffers.pooled, sequences * heads_ * d);
  auto* statistics = sized(buffers.statistics, sequences * 2 * heads_);
  const auto trace_into = [&](const float* queries, std::int64_t stride, Numbers& weights) {
    weights.resize(offsets.back() * heads_);
    kernels::sequence_pooling_weights(x, queries, stride, statistics, offsets, d, heads_,
                                      weights.data());
  };
  kernels::pool_sequences(x, alpha_queries_.data(), 0, offsets, d, heads_, pooled, statistics);
  if (trace != nullptr) trace_into(alpha_queries_.data(), 0, trace->query_weights);
  auto* query = sized(buffers.queries, sequences * d);
  apply_by_head(query_heads_, query_bias_.data(), buffers.pooled, sequences, d, query);

  const float* beta = beta_queries_.data();
  std::int64_t stride = 0;
  if (fields_.interaction == model::Interaction::kProduct) {
    stride = heads_ * d;
    const bool full = fields_.logits == model::LogitColumns::kFull;
    auto* computed = sized(buffers.beta_queries, sequences * stride);
    // The logit rows times the global query; then through the key's weight.
    const auto columns = full ? d : own;
    auto* gated = sized(buffers.keys, sequences * heads_ * columns);
    for (std::int64_t b = 0; b < sequences; ++b) {
      for (std::int64_t h = 0; h < heads_; ++h) {
        const float* gate = query + b * d + (full ? 0 : h * own);
        const float* row = &key_logits_[h * columns];
        float* to = gated + (b * heads_ + h) * columns;
        for (std::int64_t c = 0; c < columns; ++c) to[c] = row[c] * gate[c];
      }
    }
    if (full) {
      key_rows_.front().multiply(sequences * heads_, gated, d, {}, computed, d);
    } else {
      for (std::int64_t h = 0; h < heads_; ++h) {
        key_rows_[h].multiply(sequences, gated + h * own, d, {}, computed + h * d, stride);
      }
    }
    beta = computed;
  }
  kernels::pool_sequences(x, beta, stride, offsets, d, heads_, pooled, statistics);
  if (trace != nullptr) trace_into(beta, stride, trace->key_weights);

  auto* key = sized(globals.keys, sequences * d);
  const bool concat = fields_.interaction == model::Interaction::kConcat;
  apply_by_head(key_heads_, concat ? nullptr : key_bias_.data(), buffers.pooled, sequences, d, key);
  if (fields_.interaction == model::Interaction::kProduct) {
    for (std::int64_t i = 0; i < sequences * d; ++i) key[i] *= query[i];
  } else if (fields_.interaction == model::Interaction::kAdd) {
    for (std::int64_t i = 0; i < sequences * d; ++i) key[i] += query[i];
  } else {
    auto* from_query = sized(buffers.keys, sequences * d);
    global_query_.multiply(sequences, query, d, {.row = global_query_constant_.data()}, from_query,
                           d);
    for (std::int64_t i = 0; i < sequences * d; ++i) key[i] += from_query[i];
  }

  // What goes through the outer matrix for the constant of each sequence.
  auto* part = sized(buffers.queries, sequences * d);
  if (concat) {
    global_value_.multiply(sequences, key, d, {.row = global_value_constant_.data()}, part, d);
  } else {
    const bool multiplies = fields_.interaction == model::Interaction::kProduct;
    for (std::int64_t i = 0; i < sequences * d; ++i) {
      const float bias = value_bias_[i % d];
      part[i] = multiplies ? key[i] * bias : key[i] + bias;
    }
  }
  auto* constants = sized(globals.constants, sequences * d);
  const auto& outer = global_outer_ ? global_outer_ : outer_.floats();
  outer.multiply(sequences, part, d, {.row = constant_.data()}, constants, d);
}

// A matrix per sequence costs d x d x d multiplications and saves one or two products per token,
// which does not pay where those are fast.
bool AdditiveMixer::merges(std::int64_t rows) const {
  if (one_matrix_ || precision_ != RowPrecision::kFp32) return false;
  return rows >= (value_ ? width_ : 2 * width_);
}

PackedMatrix AdditiveMixer::matrix_of(const float* key) const {
  const auto d = width_;
  Numbers scaled = outer_numbers_, matrix(d * d);
  for (std::int64_t i = 0; i < d * d; ++i) scaled[i] *= key[i % d];
  const float* direct = direct_numbers_.data();
  if (!value_) {
    for (std::int64_t i = 0; i < d * d; ++i) scaled[i] += direct[i];
  } else {
    matrix = direct_numbers_;
  }
  inner_rows_.multiply(d, scaled.data(), d, {.keep = static_cast<bool>(value_)}, matrix.data(), d);
  return PackedMatrix::of(kYes, matrix.data(), d, d, d);
}

// fp32: the rows of one sequence from their queries q, which it overwrites.
void AdditiveMixer::mix_one(float* q, std::int64_t n, const float* key, const float* constant,
                            float* y) const {
  const auto d = width_;
  if (n >= kLeastComposed) {
    auto& composed = buffers_of_thread().composed;
    composed.compose(outer_.floats(), key, direct_.floats());
    composed.multiply(n, q, d, {.row = constant}, y, d);
    return;
  }
  direct_.multiply(n, q, {.row = constant}, y);
  scale_rows(q, n, d, key);
  outer_.multiply(n, q, {.keep = true}, y);
}

void AdditiveMixer::mix(const float* x, std::span<const Part> parts, const Globals& globals,
                        float* y) const {
  const auto d = width_;
  // body(row, rows, key, constant) for each part.
  const auto for_each = [&](const auto& body) {
    std::int64_t row = 0;
    for (const auto& [sequence, n] : parts) {
      body(row, n, &globals.keys[sequence * d], &globals.constants[sequence * d]);
      row += n;
    }
  };
  const auto begin_with_constants = [&] {
    for_each([&](std::int64_t row, std::int64_t n, const float*, const float* constant) {
      for (std::int64_t i = 0; i < n; ++i) std::copy_n(constant, d, y + (row + i) * d);
    });
  };
  std::int64_t rows = 0;
  for (const auto& part : parts) rows += part.rows;
  if (one_matrix_) {
    begin_with_constants();
    one_matrix_.multiply(rows, x, {.keep = true}, y);
    return;
  }
  auto* q = sized(buffers_of_thread().q, rows * d);
  (value_ ? value_ : query_).multiply(rows, x, {}, q);
  if (!value_ && precision_ == RowPrecision::kFp32) {
    for_each([&](std::int64_t row, std::int64_t n, const float* key, const float* constant) {
      mix_one(q + row * d, n, key, constant, y + row * d);
    });
    return;
  }
  begin_with_constants();
  direct_.multiply(rows, value_ ? x : q, {.keep = true}, y);
  for_each([&](std::int64_t row, std::int64_t n, const float* key, const float*) {
    scale_rows(q + row * d, n, d, key);
  });
  outer_.multiply(rows, q, {.keep = true}, y);
}

}  // namespace fastformer::runtime

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "fastformer/base/safetensors.h"
#include "fastformer/model/additive_fields.h"
#include "fastformer/model/classifier_config.h"
#include "fastformer/model/embedding_options.h"

/// A classifier's network from its definition (Wu et al., arXiv 2108.09084, section 3.1), one text
/// after another in double precision: what the runtime is tested against.
namespace fastformer::runtime {

using Doubles = std::vector<double>;

/// Random parameters of a network, and the file that holds them.
class PlainParameters {
 public:
  explicit PlainParameters(unsigned seed) : generator_(seed) {}

  const std::vector<float>& get(const std::string& name, const std::vector<std::int64_t>& shape) {
    auto& [values, known_shape] = parameters_[name];
    if (!values.empty()) return values;
    known_shape = shape;
    std::size_t count = 1;
    for (const auto extent : shape) count *= static_cast<std::size_t>(extent);
    std::normal_distribution<float> normal(0, shape.size() == 1 ? 0.3F : 0.4F);
    values.resize(count);
    for (auto& value : values) value = normal(generator_);
    return values;
  }

  void save(const std::filesystem::path& file) const {
    std::map<std::string, base::TensorView> views;
    for (const auto& [name, parameter] : parameters_) {
      views[name] = {"F32", parameter.second, std::as_bytes(std::span(parameter.first))};
    }
    base::write_safetensors(file, views);
  }

 private:
  std::mt19937 generator_;
  std::map<std::string, std::pair<std::vector<float>, std::vector<std::int64_t>>> parameters_;
};

class PlainNetwork {
 public:
  PlainNetwork(const model::ClassifierConfig& config, std::int64_t vocabulary_size,
               std::int64_t classes, PlainParameters& parameters)
      : config_(config), vocabulary_(vocabulary_size), classes_(classes), store_(parameters) {}

  Doubles logits(std::span<const std::int32_t> ids) const {
    const auto d = width();
    auto x = embedded(ids);
    const auto& encoder = config_.text.encoder;
    for (std::int64_t i = 0; i < encoder.layers; ++i) {
      x = layer(x, "encoder.layers." + std::to_string(encoder.share_layers ? 0 : i));
    }
    if (encoder.normalization == model::Normalization::kPre) x = norm(x, "encoder.normalization");
    Doubles logit;
    for (auto& row : x) {
      auto inner = linear(row, "pooling.projection", d, d);
      for (auto& value : inner) value = std::tanh(value);
      logit.push_back(linear(inner, "pooling.logits", d, 1).front());
    }
    const auto weights = softmax(logit);
    Doubles pooled(d);
    for (std::size_t i = 0; i < x.size(); ++i) {
      for (std::int64_t c = 0; c < d; ++c) pooled[c] += weights[i] * x[i][c];
    }
    return linear(pooled, "classifier", d, classes_);
  }

 private:
  using Rows = std::vector<Doubles>;

  std::int64_t width() const { return config_.text.encoder.width; }
  const model::AdditiveFields& fields() const {
    return config_.text.encoder.mixer.fields<model::AdditiveFields>();
  }

  Doubles linear(const Doubles& x, const std::string& name, std::int64_t in,
                 std::int64_t out) const {
    const auto& weight = store_.get(name + ".weight", {out, in});
    const auto& bias = store_.get(name + ".bias", {out});
    Doubles y(bias.begin(), bias.end());
    for (std::int64_t i = 0; i < out; ++i) {
      for (std::int64_t c = 0; c < in; ++c) y[i] += double{weight[i * in + c]} * x[c];
    }
    return y;
  }

  Rows norm(Rows x, const std::string& name) const {
    const auto d = width();
    const auto& weight = store_.get(name + ".weight", {d});
    const auto& bias = store_.get(name + ".bias", {d});
    for (auto& row : x) {
      double mean = 0, variance = 0;
      for (const double value : row) mean += value / static_cast<double>(d);
      for (const double value : row) {
        variance += (value - mean) * (value - mean) / static_cast<double>(d);
      }
      for (std::int64_t c = 0; c < d; ++c) {
        row[c] = (row[c] - mean) / std::sqrt(variance + 1e-12) * weight[c] + bias[c];
      }
    }
    return x;
  }

  static Doubles softmax(Doubles logits) {
    double most = -1e300, sum = 0;
    for (const double logit : logits) most = std::max(most, logit);
    for (auto& logit : logits) sum += logit = std::exp(logit - most);
    for (auto& logit : logits) logit /= sum;
    return logits;
  }

  Rows embedded(std::span<const std::int32_t> ids) const {
    const auto d = width();
    const auto& text = config_.text;
    Rows x;
    const auto add = [&](Doubles& row, const std::vector<float>& table, std::int64_t index) {
      for (std::int64_t c = 0; c < d; ++c) row[c] += table[index * d + c];
    };
    const auto table = [&](const std::string& part, std::int64_t rows) -> const auto& {
      return store_.get("embedding." + part + ".weight", {rows, d});
    };
    for (std::size_t i = 0; i < ids.size(); ++i) {
      Doubles row(d);
      add(row, table("token", vocabulary_), ids[i]);
      if (text.bigram_buckets > 0 && i > 0) {
        add(row, table("bigram", text.bigram_buckets),
            model::bigram_bucket(ids[i - 1], ids[i], text.bigram_buckets));
      }
      if (text.max_positions > 0) {
        add(row, table("position", text.max_positions), static_cast<std::int64_t>(i));
      }
      x.push_back(row);
    }
    return text.embedding_normalization ? norm(x, "embedding.normalization") : x;
  }

  // The logits of one head over the tokens, of which it reads all columns or its own.
  Doubles head_weights(const Rows& rows, const std::string& name, std::int64_t head) const {
    const auto& encoder = config_.text.encoder;
    const auto d = width(), own = d / encoder.heads;
    const bool full = fields().logits == model::LogitColumns::kFull;
    const auto columns = full ? d : own, count = fields().share_heads ? 1 : encoder.heads;
    const auto& weight = store_.get(name + ".weight", {count, columns});
    const auto& bias = store_.get(name + ".bias", {count});
    const auto row = fields().share_heads ? 0 : head;
    Doubles logits;
    for (const auto& x : rows) {
      double sum = bias[row];
      for (std::int64_t c = 0; c < columns; ++c) {
        sum += double{weight[row * columns + c]} * x[full ? c : head * own + c];
      }
      logits.push_back(sum / std::sqrt(static_cast<double>(own)));
    }
    return softmax(logits);
  }

  Doubles pooled(const Rows& rows, const std::string& logits) const {
    const auto d = width(), own = d / config_.text.encoder.heads;
    Doubles result(d);
    for (std::int64_t h = 0; h < config_.text.encoder.heads; ++h) {
      const auto weights = head_weights(rows, logits, h);
      for (std::size_t i = 0; i < rows.size(); ++i) {
        for (std::int64_t c = h * own; c < (h + 1) * own; ++c) {
          result[c] += weights[i] * rows[i][c];
        }
      }
    }
    return result;
  }

  // The global vector with each row.
  Rows combined(const Doubles& global, const Rows& rows, const std::string& name) const {
    const auto d = width();
    Rows result;
    for (const auto& row : rows) {
      Doubles one(d);
      for (std::int64_t c = 0; c < d; ++c) {
        one[c] = fields().interaction == model::Interaction::kAdd ? global[c] + row[c]
                                                                  : global[c] * row[c];
      }
      if (fields().interaction == model::Interaction::kConcat) {
        auto both = global;
        both.insert(both.end(), row.begin(), row.end());
        one = linear(both, name, 2 * d, d);
      }
      result.push_back(one);
    }
    return result;
  }

  Rows attention(const Rows& x, const std::string& name) const {
    const auto d = width();
    Rows q, k, v;
    for (const auto& row : x) {
      q.push_back(linear(row, name + ".query", d, d));
      k.push_back(linear(row, name + ".key", d, d));
      v.push_back(fields().share_query_value ? q.back() : linear(row, name + ".value", d, d));
    }
    const auto global_query = pooled(q, name + ".query_logits");
    const auto p = combined(global_query, k, name + ".key_interaction");
    const auto global_key = pooled(p, name + ".key_logits");
    auto y = combined(global_key, v, name + ".value_interaction");
    for (std::size_t i = 0; i < y.size(); ++i) {
      y[i] = linear(y[i], name + ".transform", d, d);
      for (std::int64_t c = 0; c < d; ++c) y[i][c] += q[i][c];
      if (config_.text.encoder.output_projection) y[i] = linear(y[i], name + ".output", d, d);
    }
    return y;
  }

  double activated(double x) const {
    switch (config_.text.encoder.activation) {
      case kernels::Activation::kGelu:
        return x * std::erfc(-x / std::sqrt(2.0)) / 2;
      case kernels::Activation::kRelu:
        return x > 0 ? x : 0;
      case kernels::Activation::kTanh:
        return std::tanh(x);
      case kernels::Activation::kGeluTanh:
        return x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))) / 2;
    }
    return 0;
  }

  Rows feed_forward(const Rows& x, const std::string& name) const {
    const auto d = width(), inner_width = config_.text.encoder.ffn_width;
    Rows y;
    for (const auto& row : x) {
      auto inner = linear(row, name + ".input", d, inner_width);
      for (auto& value : inner) value = activated(value);
      y.push_back(linear(inner, name + ".output", inner_width, d));
    }
    return y;
  }

  Rows block(const Rows& x, const std::string& name,
             const std::function<Rows(const Rows&)>& work) const {
    const auto& encoder = config_.text.encoder;
    const auto y = work(
        encoder.normalization == model::Normalization::kPre ? norm(x, name + ".normalization") : x);
    auto sum = y;
    for (std::size_t i = 0; encoder.residual && i < sum.size(); ++i) {
      for (std::size_t c = 0; c < sum[i].size(); ++c) sum[i][c] += x[i][c];
    }
    return encoder.normalization == model::Normalization::kPost ? norm(sum, name + ".normalization")
                                                                : sum;
  }

  Rows layer(const Rows& x, const std::string& name) const {
    const auto y = block(x, name + ".attention",
                         [&](const Rows& rows) { return attention(rows, name + ".attention"); });
    if (config_.text.encoder.ffn_width == 0) return y;
    return block(y, name + ".feed_forward",
                 [&](const Rows& rows) { return feed_forward(rows, name + ".feed_forward"); });
  }

  model::ClassifierConfig config_;
  std::int64_t vocabulary_, classes_;
  PlainParameters& store_;
};

}  // namespace fastformer::runtime

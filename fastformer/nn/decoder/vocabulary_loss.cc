#include "fastformer/nn/decoder/vocabulary_loss.h"

#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <vector>

#include "fastformer/kernels/segment_sums.h"
#include "fastformer/nn/decoder/token_mixture.h"
#include "fastformer/nn/parallel_gemm.h"

namespace fastformer::nn {
namespace {

using kernels::Transpose;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// Some rows of one target.
struct LossPiece {
  std::int64_t sequence, first, rows;
};
using LossBlock = std::vector<LossPiece>;

// The rows of ragged targets in blocks of about equal cost, in order: each row needs
// `cost(sequence)` numbers. A row that exceeds the size of a block is a block of its own. 2^22
// floats are 16 MiB: with 32,000 tokens in the vocabulary a block is 131 rows.
template <class Cost>
std::vector<LossBlock> loss_blocks(const Offsets& targets, const Cost& cost) {
  constexpr std::int64_t kNumbers = std::int64_t{1} << 22, kRows = 1024;
  std::vector<LossBlock> blocks;
  std::int64_t rows_left = 0, numbers_left = 0;
  for (std::int64_t b = 0; b < targets.size(); ++b) {
    const std::int64_t of_row = cost(b);
    const auto end = targets.begin_of(b) + targets.length(b);
    for (auto first = targets.begin_of(b); first < end;) {
      const auto rows = std::min({end - first, rows_left, numbers_left / of_row});
      if (rows == 0) {
        blocks.emplace_back();
        rows_left = kRows;
        numbers_left = std::max(kNumbers, of_row);
        continue;
      }
      blocks.back().push_back({b, first, rows});
      first += rows;
      rows_left -= rows;
      numbers_left -= rows * of_row;
    }
  }
  return blocks;
}

struct LossTargets {
  std::span<const std::int32_t> tokens;
  Offsets offsets;
  double smoothing;
  const CopyInputs* copy;

  std::int64_t document_length(std::int64_t b) const {
    return copy != nullptr ? copy->offsets.length(b) : 0;
  }
};

struct LossTensors {
  at::Tensor x, weight, bias, gate, query, key;

  static LossTensors like(const LossTensors& other) {
    const auto zeros = [](const at::Tensor& t) { return t.defined() ? at::zeros_like(t) : t; };
    return {zeros(other.x),    zeros(other.weight), zeros(other.bias),
            zeros(other.gate), zeros(other.query),  zeros(other.key)};
  }
  variable_list list() const { return {x, weight, bias, gate, query, key}; }
};

template <class Real>
class LossPass {
 public:
  // `gradients` holds zeros, or is empty if no gradients are needed.
  LossPass(const LossTensors& inputs, const LossTargets& targets,
           const std::optional<LossTensors>& gradients)
      : in_(inputs),
        targets_(targets),
        gradients_(gradients),
        width_(inputs.x.size(1)),
        vocabulary_(inputs.weight.size(0)),
        per_row_(1 / std::max<double>(1, static_cast<double>(inputs.x.size(0)))),
        scale_(static_cast<Real>(1 / std::sqrt(static_cast<double>(width_)))),
        operands_(kernels::token_operands()),
        losses_(static_cast<std::size_t>(inputs.x.size(0))) {
    if (targets.copy != nullptr) distinct_ = {targets.copy->ids, targets.copy->offsets};
  }

  // The mean of the losses.
  double run() {
    const auto blocks = loss_blocks(targets_.offsets, [&](std::int64_t b) {
      return vocabulary_ + targets_.document_length(b);
    });
    for (const auto& block : blocks) pass(block);
    return std::accumulate(losses_.begin(), losses_.end(), 0.0) * per_row_;
  }

 private:
  void pass(const LossBlock& block) {
    const auto first = block.front().first;
    const auto rows = block.back().first + block.back().rows - first;
    auto logits = at::empty({rows, vocabulary_}, in_.x.options());
    gemm_by_result<Real>(Transpose::kNo, Transpose::kYes, rows, vocabulary_, width_,
                         row(in_.x, first), width_, row(in_.weight, 0), width_,
                         {.row = row(in_.bias, 0)}, logits.template mutable_data_ptr<Real>(),
                         vocabulary_, operands_);
    const auto log_p = at::log_softmax(logits, 1);
    const auto p = at::exp_out(logits, log_p);  // becomes the gradient of the logits
    const auto sums = targets_.smoothing > 0 ? log_p.sum(1) : at::zeros({rows}, in_.x.options());
    std::vector<Real> weights = copy_weights(block);
    auto* weight = weights.data();
    for (const auto& piece : block) {
      const auto offset = piece.first - first;
      each_row(piece, row(log_p, offset), row(sums, offset), p.narrow(0, offset, piece.rows),
               weight);
      if (gradients_ && targets_.copy != nullptr) copy_gradients(piece, weight);
      weight += piece.rows * targets_.document_length(piece.sequence);
    }
    if (gradients_) output_gradients(first, p);
  }

  // The weights a of the rows of the block, piece after piece; fp32, as all attention is.
  std::vector<Real> copy_weights(const LossBlock& block) const {
    std::int64_t size = 0;
    for (const auto& piece : block) size += piece.rows * targets_.document_length(piece.sequence);
    std::vector<Real> weights(static_cast<std::size_t>(size));
    auto* to = weights.data();
    for (const auto& piece : block) {
      const auto n = targets_.document_length(piece.sequence);
      if (n == 0) continue;
      gemm_by_result<Real>(Transpose::kNo, Transpose::kYes, piece.rows, n, width_,
                           row(in_.query, piece.first), width_, key_of(piece), width_, {}, to, n,
                           kernels::Operands::kFloat);
      kernels::parallel_for(0, piece.rows, 1, [&](std::int64_t begin, std::int64_t end) {
        for (auto i = begin * n; i < end * n; ++i) to[i] *= scale_;
        for (auto i = begin; i < end; ++i) kernels::segment_softmax(to + i * n, n);
      });
      to += piece.rows * n;
    }
    return weights;
  }

  // Losses of the rows of a piece; p and the copy weights become gradients of their logits.
  void each_row(const LossPiece& piece, const Real* log_p, const Real* sums, const at::Tensor& p,
                Real* weights) {
    const auto n = targets_.document_length(piece.sequence);
    auto* gradient = p.template mutable_data_ptr<Real>();
    kernels::parallel_for(0, piece.rows, 1, [&](std::int64_t begin, std::int64_t end) {
      std::vector<Real> mass;
      MixtureLoss<Real> mixture;
      for (auto i = begin; i < end; ++i) {
        const SmoothedTarget target{targets_.tokens[piece.first + i], targets_.smoothing,
                                    vocabulary_};
        const auto* row_log_p = log_p + i * vocabulary_;
        CopiedTokens<Real> copied;
        if (n > 0) {
          distinct_.sum(piece.sequence, weights + i * n, mass);
          copied = {distinct_.tokens(piece.sequence), mass};
        }
        const auto gate = n > 0 ? static_cast<double>(*row(in_.gate, piece.first + i)) : 0;
        add_copied(copied, gate, target, row_log_p, mixture);
        losses_[piece.first + i] = mixture.loss - (1 - target.smoothing) * row_log_p[target.token] -
                                   target.spread() * sums[i];
        if (!gradients_) continue;
        logit_gradient(target, copied, mixture, gradient + i * vocabulary_);
        if (n == 0) continue;
        weight_gradient(piece, copied, mixture, weights + i * n);
        *mutable_row(gradients_->gate, piece.first + i) =
            static_cast<Real>(mixture.gate * per_row_);
      }
    });
  }

  void logit_gradient(const SmoothedTarget& target, const CopiedTokens<Real>& copied,
                      const MixtureLoss<Real>& mixture, Real* p) const {
    const auto generated = static_cast<Real>(mixture.generated * per_row_);
    const auto spread = static_cast<Real>(target.spread() * per_row_);
    for (std::int64_t w = 0; w < vocabulary_; ++w) p[w] = p[w] * generated - spread;
    p[target.token] -= static_cast<Real>((1 - target.smoothing) * per_row_);
    for (std::size_t u = 0; u < copied.tokens.size(); ++u) {
      p[copied.tokens[u]] += mixture.shares[u] * static_cast<Real>(per_row_);
    }
  }

  void weight_gradient(const LossPiece& piece, const CopiedTokens<Real>& copied,
                       const MixtureLoss<Real>& mixture, Real* weights) const {
    const auto slots = distinct_.slots(piece.sequence);
    const auto all = static_cast<Real>(1 - mixture.generated);
    const auto scale = scale_ * static_cast<Real>(per_row_);
    for (std::size_t j = 0; j < slots.size(); ++j) {
      if (weights[j] == 0) continue;
      const auto part = weights[j] / copied.mass[slots[j]];  // at most 1, however small the mass
      weights[j] = (weights[j] * all - part * mixture.shares[slots[j]]) * scale;
    }
  }

  void copy_gradients(const LossPiece& piece, const Real* dlogits) {
    const auto n = targets_.document_length(piece.sequence);
    if (n == 0) return;
    gemm_by_result<Real>(Transpose::kNo, Transpose::kNo, piece.rows, width_, n, dlogits, n,
                         key_of(piece), width_, {}, mutable_row(gradients_->query, piece.first),
                         width_, kernels::Operands::kFloat);
    const auto document = targets_.copy->offsets.begin_of(piece.sequence);
    gemm_by_result<Real>(Transpose::kYes, Transpose::kNo, n, width_, piece.rows, dlogits, n,
                         row(in_.query, piece.first), width_, {.keep = true},
                         mutable_row(gradients_->key, document), width_, kernels::Operands::kFloat);
  }

  void output_gradients(std::int64_t first, const at::Tensor& dlogits) {
    const auto rows = dlogits.size(0);
    gemm_by_result<Real>(Transpose::kNo, Transpose::kNo, rows, width_, vocabulary_, row(dlogits, 0),
                         vocabulary_, row(in_.weight, 0), width_, {},
                         mutable_row(gradients_->x, first), width_, operands_);
    gemm_by_result<Real>(Transpose::kYes, Transpose::kNo, vocabulary_, width_, rows,
                         row(dlogits, 0), vocabulary_, row(in_.x, first), width_, {.keep = true},
                         mutable_row(gradients_->weight, 0), width_, operands_);
    gradients_->bias.add_(dlogits.sum(0));
  }

  static const Real* row(const at::Tensor& t, std::int64_t index) {
    return t.template const_data_ptr<Real>() + index * t.stride(0);
  }
  static Real* mutable_row(const at::Tensor& t, std::int64_t index) {
    return t.template mutable_data_ptr<Real>() + index * t.stride(0);
  }
  const Real* key_of(const LossPiece& piece) const {
    return row(in_.key, targets_.copy->offsets.begin_of(piece.sequence));
  }

  const LossTensors& in_;
  const LossTargets& targets_;
  const std::optional<LossTensors>& gradients_;
  const std::int64_t width_, vocabulary_;
  const double per_row_;
  const Real scale_;
  const kernels::Operands operands_;
  DistinctTokens distinct_;
  std::vector<double> losses_;
};

class VocabularyLoss : public Function<VocabularyLoss> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias, const std::optional<at::Tensor>& gate,
                            const std::optional<at::Tensor>& query,
                            const std::optional<at::Tensor>& key, const LossTargets& targets,
                            bool differentiable) {
    const LossTensors inputs{x,
                             weight,
                             bias,
                             gate.value_or(at::Tensor()),
                             query.value_or(at::Tensor()),
                             key.value_or(at::Tensor())};
    std::optional<LossTensors> gradients;
    if (differentiable) gradients = LossTensors::like(inputs);
    auto loss = at::zeros({}, x.options());
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "vocabulary_loss", [&] {
      loss.fill_(LossPass<scalar_t>(inputs, targets, gradients).run());
    });
    if (gradients) context->save_for_backward(gradients->list());
    return loss;
  }

  static variable_list backward(AutogradContext* context, const variable_list& upstream) {
    auto gradients = context->get_saved_variables();
    const auto factor = upstream[0].item<double>();
    for (auto& gradient : gradients) {
      if (gradient.defined() && factor != 1) gradient = gradient * factor;
    }
    gradients.resize(gradients.size() + 2);  // of the targets and the switch
    return gradients;
  }
};

void check_copy_inputs(const at::Tensor& x, const Offsets& offsets, const CopyInputs& copy) {
  check_rows(copy.key, copy.offsets);
  TORCH_CHECK(copy.query.sizes() == x.sizes() && copy.key.size(1) == x.size(1) &&
                  copy.gate.sizes() == at::IntArrayRef({x.size(0), 1}),
              "expected a query ", x.sizes(), ", a key [S, ", x.size(1), "] and a gate [",
              x.size(0), ", 1], got ", copy.query.sizes(), ", ", copy.key.sizes(), " and ",
              copy.gate.sizes());
  TORCH_CHECK(copy.query.scalar_type() == x.scalar_type() &&
                  copy.key.scalar_type() == x.scalar_type() &&
                  copy.gate.scalar_type() == x.scalar_type(),
              "expected a query, a key and a gate of the type ", x.scalar_type());
  TORCH_CHECK(copy.offsets.size() == offsets.size() &&
                  static_cast<std::int64_t>(copy.ids.size()) == copy.offsets.total(),
              "expected the tokens of ", offsets.size(), " documents, got ", copy.ids.size(),
              " tokens of ", copy.offsets.size());
}

void check_tokens(std::span<const std::int32_t> tokens, std::int64_t vocabulary) {
  for (const auto token : tokens) {
    TORCH_CHECK(token >= 0 && token < vocabulary, "expected tokens below ", vocabulary, ", got ",
                token);
  }
}

}  // namespace

at::Tensor vocabulary_loss(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                           std::span<const std::int32_t> targets, const Offsets& offsets,
                           double smoothing, const CopyInputs* copy) {
  check_rows(x, offsets);
  TORCH_CHECK(weight.dim() == 2 && weight.size(1) == x.size(1) &&
                  bias.sizes() == at::IntArrayRef({weight.size(0)}),
              "expected a weight [V, ", x.size(1), "] and a bias [V], got ", weight.sizes(),
              " and ", bias.sizes());
  TORCH_CHECK(x.scalar_type() == weight.scalar_type() && x.scalar_type() == bias.scalar_type(),
              "expected a weight and a bias of the type ", x.scalar_type());
  TORCH_CHECK(static_cast<std::int64_t>(targets.size()) == x.size(0), "expected ", x.size(0),
              " targets, got ", targets.size());
  TORCH_CHECK(smoothing >= 0 && smoothing < 1,
              "expected label smoothing of at least 0 and below 1, got ", smoothing);
  check_tokens(targets, weight.size(0));
  std::optional<at::Tensor> gate, query, key;
  if (copy != nullptr) {
    check_copy_inputs(x, offsets, *copy);
    check_tokens(copy->ids, weight.size(0));
    gate = copy->gate.contiguous();
    query = copy->query.contiguous();
    key = copy->key.contiguous();
  }
  const bool differentiable = at::GradMode::is_enabled();
  return VocabularyLoss::apply(x.contiguous(), weight.contiguous(), bias.contiguous(), gate, query,
                               key, LossTargets{targets, offsets, smoothing, copy}, differentiable);
}

}  // namespace fastformer::nn

// The operators torch.ops.fastformer.*: additive attention for models in PyTorch.
// fastformer/torch.py adds their gradients and what torch.compile needs.
//
// The forward operator records a graph of its own, because the layer consists of many
// differentiable steps. It returns a ticket beside its output: a tensor whose memory owns the
// graph, so that the graph lives as long as PyTorch keeps the ticket for the backward operator.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/library.h>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "fastformer/kernels/parallel.h"
#include "fastformer/nn/mixers/additive_attention.h"

namespace {

using namespace fastformer;
using at::Tensor;

// In the order of the operator's list of parameters: a weight and a bias each.
constexpr std::array kLayers = {"query",      "query_logits", "key",
                                "key_logits", "transform",    "output"};

// Gives the parameters of the operator to the layer.
class Parameters final : public nn::ParameterSource {
 public:
  explicit Parameters(const std::vector<Tensor>& values) {
    TORCH_CHECK(values.size() == 2 * kLayers.size() || values.size() == 2 * kLayers.size() - 2,
                "expected 10 or 12 parameters, got ", values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      values_[std::string(kLayers[i / 2]) + (i % 2 == 0 ? ".weight" : ".bias")] = values[i];
    }
  }

  Tensor read(const std::string& name, const std::vector<std::int64_t>& shape,
              at::ScalarType dtype) override {
    const auto& value = values_.at(name);
    TORCH_CHECK(value.sizes() == at::IntArrayRef(shape) && value.scalar_type() == dtype,
                "expected ", name, " of shape ", at::IntArrayRef(shape), " and type ", dtype,
                ", got ", value.sizes(), " and ", value.scalar_type());
    return value;
  }

 private:
  std::map<std::string, Tensor> values_;
};

struct Graph {
  Tensor offsets, x, y;
  std::vector<Tensor> parameters;
};

class Graphs {
 public:
  // Leaked, because tickets may outlive the module.
  static Graphs& instance() {
    static auto* const graphs = new Graphs;
    return *graphs;
  }

  Tensor add(std::shared_ptr<const Graph> graph) {
    std::int64_t number = 0;
    {
      const std::lock_guard lock(mutex_);
      number = ++last_;
      graphs_[number] = std::move(graph);
    }
    return at::from_blob(
        std::make_unique<std::int64_t>(number).release(), {1},
        [this, number](void* pointer) {
          const std::unique_ptr<std::int64_t> owned(static_cast<std::int64_t*>(pointer));
          remove(number);
        },
        at::kLong);
  }
  std::shared_ptr<const Graph> find(const Tensor& ticket) {
    const std::lock_guard lock(mutex_);
    const auto found = graphs_.find(ticket.item<std::int64_t>());
    TORCH_CHECK(found != graphs_.end(),
                "the forward pass of this gradient is no longer in memory; run it again");
    return found->second;
  }

 private:
  void remove(std::int64_t number) {
    std::shared_ptr<const Graph> removed;  // destroyed without the lock
    const std::lock_guard lock(mutex_);
    const auto found = graphs_.find(number);
    if (found == graphs_.end()) return;
    removed = std::move(found->second);
    graphs_.erase(found);
  }

  std::mutex mutex_;
  std::map<std::int64_t, std::shared_ptr<const Graph>> graphs_;
  std::int64_t last_ = 0;
};

// Operators run below autograd; within this scope they can record again.
class WithGradients {
 public:
  explicit WithGradients(bool on)
      : keys_(c10::impl::tls_local_dispatch_key_set().included_,
              on ? c10::impl::tls_local_dispatch_key_set().excluded_ -
                       c10::autograd_dispatch_keyset_with_ADInplaceOrView
                 : c10::impl::tls_local_dispatch_key_set().excluded_),
        mode_(on) {}

 private:
  c10::impl::ForceDispatchKeyGuard keys_;
  at::AutoGradMode mode_;
};

// x [T, d]; all of `graph` but the output is there.
Tensor run(const Graph& graph, std::int64_t heads) {
  const auto& x = graph.x;
  nn::ParameterStore store(/*seed=*/0, x.scalar_type());
  store.read_from("attention.", std::make_shared<Parameters>(graph.parameters));
  const nn::AdditiveAttention layer(
      {.width = x.size(1), .heads = heads, .output_projection = graph.parameters.size() > 10},
      model::AdditiveFields{}, store, "attention");
  const auto* first = graph.offsets.const_data_ptr<std::int64_t>();
  return layer.forward(x, nn::Offsets({first, static_cast<std::size_t>(graph.offsets.numel())}),
                       nullptr);
}

void check(const Tensor& x, const Tensor& offsets, std::int64_t heads) {
  TORCH_CHECK(x.dim() == 2, "expected rows [T, d], got a tensor of ", x.dim(), " dimensions");
  TORCH_CHECK(x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble,
              "expected float or double, got ", x.scalar_type());
  TORCH_CHECK(heads > 0 && x.size(1) % heads == 0, "the width ", x.size(1),
              " is not a multiple of the ", heads, " heads");
  TORCH_CHECK(offsets.dim() == 1 && offsets.numel() > 0 && offsets.scalar_type() == at::kLong,
              "expected offsets [B + 1] of type int64");
  const auto* values = offsets.const_data_ptr<std::int64_t>();
  const auto last = offsets.numel() - 1;
  bool rises = values[0] == 0 && values[last] == x.size(0);
  for (std::int64_t i = 0; i < last; ++i) rises = rises && values[i] <= values[i + 1];
  TORCH_CHECK(rises, "the offsets must rise from 0 to the number of rows, ", x.size(0));
}

// The rows of `x` [B, L, d] where `mask` [B, L] is true.
struct Masked {
  Tensor rows, offsets, positions;
};
Masked masked(const Tensor& x, const Tensor& mask) {
  TORCH_CHECK(x.dim() == 3 && mask.dim() == 2 && mask.sizes() == x.sizes().slice(0, 2),
              "expected x [B, L, d] and a mask [B, L], got ", x.sizes(), " and ", mask.sizes());
  TORCH_CHECK(
      ((mask == 0) | (mask == 1)).all().item<bool>(),
      "expected a mask of 1 for tokens and 0 for padding, got other values; for an additive "
      "mask pass mask == 0");
  const auto seen = mask.to(at::kBool);
  const auto positions = seen.flatten().nonzero().flatten();
  auto offsets = at::zeros({x.size(0) + 1}, at::kLong);
  offsets.slice(0, 1).copy_(seen.sum(1).cumsum(0));
  return {x.flatten(0, 1).index_select(0, positions), offsets, positions};
}

// x [T, d] with offsets [B + 1], or [B, L, d] with a mask [B, L].
std::tuple<Tensor, Tensor> forward(const Tensor& x, const std::optional<Tensor>& offsets,
                                   const std::optional<Tensor>& mask,
                                   const std::vector<Tensor>& parameters, std::int64_t heads,
                                   bool training) {
  TORCH_CHECK(offsets.has_value() != mask.has_value(), "expected either offsets or a mask");
  const kernels::ComputeScope scope(kernels::Precision::kFp32, at::get_num_threads());
  auto graph = std::make_shared<Graph>();
  {
    const WithGradients gradients(training);
    graph->x = x.detach().contiguous();
    graph->x.set_requires_grad(training);
    for (const auto& parameter : parameters) {
      graph->parameters.push_back(parameter.detach().contiguous());
      graph->parameters.back().set_requires_grad(training);
    }
    if (mask) {
      // The layer sees the rows that the mask selects; the graph begins before.
      Graph selected = *graph;
      auto chosen = masked(graph->x, *mask);
      selected.x = chosen.rows;
      selected.offsets = graph->offsets = chosen.offsets;
      check(selected.x, selected.offsets, heads);
      graph->y = at::zeros({x.size(0) * x.size(1), x.size(2)}, x.options())
                     .index_copy(0, chosen.positions, run(selected, heads))
                     .view(x.sizes());
    } else {
      graph->offsets = offsets->contiguous();
      check(graph->x, graph->offsets, heads);
      graph->y = run(*graph, heads);
    }
  }
  auto y = graph->y.detach();
  return {y, training ? Graphs::instance().add(std::move(graph)) : at::empty({0}, at::kLong)};
}

// Of x and each parameter.
std::vector<Tensor> backward(const Tensor& gradient, const Tensor& ticket, const Tensor& /*x*/,
                             const std::vector<Tensor>& /*parameters*/) {
  const auto graph = Graphs::instance().find(ticket);
  const kernels::ComputeScope scope(kernels::Precision::kFp32, at::get_num_threads());
  const WithGradients gradients(true);
  auto inputs = graph->parameters;
  inputs.insert(inputs.begin(), graph->x);
  auto found = torch::autograd::grad({graph->y}, inputs, {gradient.contiguous()},
                                     /*retain_graph=*/true, /*create_graph=*/false,
                                     /*allow_unused=*/true);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!found[i].defined()) found[i] = at::zeros_like(inputs[i]);
  }
  return found;
}

}  // namespace

TORCH_LIBRARY(fastformer, library) {
  library.def(
      "additive_attention(Tensor x, Tensor? offsets, Tensor? mask, Tensor[] parameters, int heads, "
      "bool training) -> (Tensor, Tensor)");
  library.def(
      "additive_attention_backward(Tensor gradient, Tensor ticket, Tensor x, Tensor[] parameters) "
      "-> Tensor[]");
}

TORCH_LIBRARY_IMPL(fastformer, CPU, library) {
  library.impl("additive_attention", forward);
  library.impl("additive_attention_backward", backward);
}

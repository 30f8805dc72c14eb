#include "fastformer/nn/precision.h"

#include <atomic>
#include <stdexcept>

#include "fastformer/kernels/bf16_product.h"

namespace fastformer::nn {
namespace {
std::atomic<kernels::Operands> current_operands{kernels::Operands::kFloat};
}  // namespace

kernels::Operands token_operands() { return current_operands.load(std::memory_order_relaxed); }

std::string precision() { return token_operands() == kernels::Operands::kBf16 ? "bf16" : "fp32"; }

void set_precision(const std::string& name) {
  if (name != "fp32" && name != "bf16" && name != "auto") {
    throw std::invalid_argument("unknown precision '" + name + "'; use fp32, bf16 or auto");
  }
  const bool round = name == "bf16" || (name == "auto" && kernels::has_bf16_products());
  current_operands = round ? kernels::Operands::kBf16 : kernels::Operands::kFloat;
}

}  // namespace fastformer::nn

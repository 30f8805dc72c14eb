#pragma once

#include <string>

#include "fastformer/kernels/gemm.h"

namespace fastformer::nn {

/// How the rows of tokens enter the products of this process: as they are, or rounded to bf16.
/// Sums, softmaxes, norms, poolings, weights and optimizer stay fp32 either way, and so do the
/// products by which parameter matrices are composed. fp32 until it is set.
kernels::Operands token_operands();

/// What is set: "fp32" or "bf16".
std::string precision();

/// `name`: "fp32"; "bf16"; or "auto", which is bf16 where that is faster on this CPU, else fp32.
/// Not while a model computes on other threads. Throws std::invalid_argument for another name.
void set_precision(const std::string& name);

}  // namespace fastformer::nn

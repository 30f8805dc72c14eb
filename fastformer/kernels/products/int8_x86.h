#pragma once

#include <vector>

#include "fastformer/kernels/products/int8_product.h"

namespace fastformer::kernels {

/// The ways of x86 that this CPU can use, the fastest first: AVX512-VNNI, AVX2. Empty on other
/// CPUs.
std::vector<Int8Way> int8_x86_ways();

}  // namespace fastformer::kernels

#pragma once

#include <cstdint>

namespace fastformer::bench {

/// FLOP/s of one core that multiplies and adds fp32 in registers and does nothing else, at the best
/// instruction set: what no product can exceed. Measured at the first call, best of five.
double peak_rate();

/// `rounds` of that loop; gives its floating-point operations.
double multiply_add_round(std::int64_t rounds, float* out);

}  // namespace fastformer::bench

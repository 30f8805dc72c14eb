#pragma once

#include <string>
#include <vector>

namespace fastformer::kernels {

/// The instruction sets that the library was compiled for and this CPU supports, best first, with
/// Highway's names: "AVX3_ZEN4", "AVX2", "SSE4", "EMU128" (plain C++), ...
std::vector<std::string> simd_levels();

/// The instruction set that the kernels use.
std::string simd_level();

/// Makes the kernels use this instruction set; an empty name selects the best one again. Must not
/// be called while kernels run on other threads. Throws std::invalid_argument for a name that is
/// not in simd_levels().
///
/// The environment variable FASTFORMER_SIMD sets the instruction set for a whole process.
void set_simd_level(const std::string& name);

}  // namespace fastformer::kernels

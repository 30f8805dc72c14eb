#pragma once

#include <string>
#include <vector>

namespace fastformer::kernels {

/// The instruction sets for which the kernels were compiled and that this CPU has, the best first,
/// by Highway's names: "AVX3_ZEN4", "AVX2", "SSE4", "EMU128" (plain C++), ...
std::vector<std::string> simd_levels();

/// The one in use.
std::string simd_level();

/// Lets the kernels use this one from now on; the empty name restores the best. Not while kernels
/// run on other threads. Throws std::invalid_argument for a name that `simd_levels` does not have.
///
/// The environment variable FASTFORMER_SIMD does the same for a whole run of the program.
void set_simd_level(const std::string& name);

}  // namespace fastformer::kernels

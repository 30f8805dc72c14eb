#pragma once

#include <string>
#include <vector>

namespace fastformer::kernels {

/// The compiled instruction sets that this CPU supports, best first, by Highway's names:
/// "AVX3_ZEN4", "AVX2", "SSE4", "EMU128" (plain C++), ...
std::vector<std::string> simd_levels();

/// The one in use.
std::string simd_level();

/// Makes the kernels use this instruction set; the empty name restores the best. Must not be called
/// while kernels run on other threads. Throws std::invalid_argument for a name that is not in
/// `simd_levels`.
///
/// The environment variable FASTFORMER_SIMD does the same for a whole run of the program.
void set_simd_level(const std::string& name);

}  // namespace fastformer::kernels

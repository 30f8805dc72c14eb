#pragma once

#include <cstdint>

#include "fastformer/base/config_field.h"

namespace fastformer::train {

/// How the learning rate changes after the warm-up.
enum class Schedule : std::uint8_t { kConstant, kLinear, kCosine };

/// The factor on the peak learning rate at `step` (0 for the first step).
///
///   const double rate = peak * schedule_factor(Schedule::kLinear, step, steps, warmup_steps);
///
/// The formulas are those of Hugging Face's transformers (optimization.py), with w = warmup_steps
/// and n = total_steps. While step < w, all rise linearly: step / max(1, w). After that:
///   constant  1
///   linear    max(0, (n - step) / max(1, n - w))
///   cosine    (1 + cos(pi p)) / 2,  p = (step - w) / max(1, n - w), at most 1, so that the factor
///             does not rise again after the last step
/// Throws std::invalid_argument if an argument is negative.
double schedule_factor(Schedule schedule, std::int64_t step, std::int64_t total_steps,
                       std::int64_t warmup_steps);

}  // namespace fastformer::train

namespace fastformer::base {
template <>
inline constexpr std::array kWords<train::Schedule> = {"constant", "linear", "cosine"};
}  // namespace fastformer::base

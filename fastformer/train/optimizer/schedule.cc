#include "fastformer/train/optimizer/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>
#include <string>

namespace fastformer::train {
namespace {

void check_not_negative(const char* name, std::int64_t value) {
  if (value < 0) {
    throw std::invalid_argument("schedule_factor: " + std::string(name) + " is " +
                                std::to_string(value) + "; expected 0 or more");
  }
}

}  // namespace

double schedule_factor(Schedule schedule, std::int64_t step, std::int64_t total_steps,
                       std::int64_t warmup_steps) {
  check_not_negative("step", step);
  check_not_negative("total_steps", total_steps);
  check_not_negative("warmup_steps", warmup_steps);

  if (step < warmup_steps) {
    return static_cast<double>(step) / static_cast<double>(warmup_steps);
  }
  if (schedule == Schedule::kConstant) return 1.0;
  const auto decay_steps =
      static_cast<double>(std::max<std::int64_t>(1, total_steps - warmup_steps));
  if (schedule == Schedule::kLinear) {
    return std::max(0.0, static_cast<double>(total_steps - step) / decay_steps);
  }
  const double progress = std::min(1.0, static_cast<double>(step - warmup_steps) / decay_steps);
  return 0.5 * (1.0 + std::cos(std::numbers::pi * progress));
}

}  // namespace fastformer::train

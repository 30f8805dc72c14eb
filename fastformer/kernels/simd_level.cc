#include "fastformer/kernels/simd_level.h"

#include <hwy/highway.h>

#include <cstdint>
#include <stdexcept>

namespace fastformer::kernels {
namespace {

void use(std::int64_t targets) {
  hwy::SetSupportedTargetsForTest(targets);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace

std::vector<std::string> simd_levels() {
  const auto before = hwy::SupportedTargets();
  hwy::SetSupportedTargetsForTest(0);
  std::vector<std::string> names;
  for (const auto target : hwy::SupportedAndGeneratedTargets()) {
    names.emplace_back(hwy::TargetName(target));
  }
  hwy::SetSupportedTargetsForTest(before);
  return names;
}

std::string simd_level() { return hwy::TargetName(hwy::SupportedAndGeneratedTargets().front()); }

void set_simd_level(const std::string& name) {
  hwy::SetSupportedTargetsForTest(0);
  std::int64_t chosen = 0;
  std::string known;
  for (const auto target : hwy::SupportedAndGeneratedTargets()) {
    if (name == hwy::TargetName(target)) chosen = target;
    known += (known.empty() ? "" : ", ") + std::string(hwy::TargetName(target));
  }
  use(chosen);
  if (chosen == 0 && !name.empty()) {
    throw std::invalid_argument("the kernels cannot use the instruction set '" + name +
                                "' on this CPU; choose one of " + known);
  }
}

}  // namespace fastformer::kernels

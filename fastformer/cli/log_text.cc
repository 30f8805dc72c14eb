#include "fastformer/cli/log_text.h"

#include <ctime>
#include <iostream>

#include "fastformer/base/format.h"
#include "fastformer/base/printable.h"

namespace fastformer::cli {

void log_line(const std::string& text) {
  const auto now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  std::cerr << base::format("%02d:%02d:%02d ", local.tm_hour, local.tm_min, local.tm_sec)
            << base::printable(text) << std::endl;
}

std::string clock_text(double seconds) {
  const auto whole = static_cast<long>(seconds);
  return base::format("%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string bar_text(double done) {
  constexpr int kWidth = 20;
  const int filled = static_cast<int>(done * kWidth);
  return base::format("[%-*s]", kWidth, std::string(filled, '=').c_str());
}

}  // namespace fastformer::cli

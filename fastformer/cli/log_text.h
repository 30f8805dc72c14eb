#pragma once

#include <string>

namespace fastformer::cli {

/// Writes a line with the time of day before it to the standard error.
void log_line(const std::string& text);

/// "1:02:03" for 3,723 seconds.
std::string clock_text(double seconds);

/// "[=====               ]" for a quarter.
std::string bar_text(double done);

}  // namespace fastformer::cli

#pragma once

#include <string>

namespace fastformer::base {

/// What printf would write; the compiler checks the arguments against the pattern.
///
///   base::format("accuracy %.4f", accuracy);
[[gnu::format(printf, 1, 2)]] std::string format(const char* pattern, ...);

}  // namespace fastformer::base

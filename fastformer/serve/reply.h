#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fastformer::serve {

/// The answer to an HTTP request.
struct Reply {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers = {};
};

/// A problem as RFC 9457 describes it: {"type", "title", "status", "detail"}. `detail` is one
/// sentence for the client.
Reply problem(unsigned status, std::string_view detail);

}  // namespace fastformer::serve

#include "fastformer/serve/reply.h"

#include <boost/beast/http/status.hpp>
#include <nlohmann/json.hpp>

#include "fastformer/base/json_text.h"

namespace fastformer::serve {

Reply problem(unsigned status, std::string_view detail) {
  const auto title = boost::beast::http::obsolete_reason(boost::beast::http::int_to_status(status));
  return {.status = status,
          .content_type = "application/problem+json",
          .body = base::json_text({{"type", "about:blank"},
                                   {"title", std::string(title.data(), title.size())},
                                   {"status", status},
                                   {"detail", std::string(detail)}})};
}

}  // namespace fastformer::serve

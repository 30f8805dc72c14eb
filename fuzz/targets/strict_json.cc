#include "fastformer/base/strict_json.h"

#include <nlohmann/json.hpp>

#include "target.h"

namespace fastformer::fuzz {

void run(std::string_view bytes) {
  const auto value = base::parse_strict_json<nlohmann::json>(bytes, "a.json");
  check(value == nlohmann::json::parse(bytes), "the value is the one that nlohmann reads");
  const auto text = value.dump();
  check_utf8(text, "JSON is UTF-8");
  check(base::parse_strict_json<nlohmann::json>(text, "again.json") == value,
        "JSON survives writing and reading");
}

}  // namespace fastformer::fuzz

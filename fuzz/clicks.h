#pragma once

#include "fastformer/recommendation/data_config.h"
#include "fastformer/recommendation/readers/reader.h"
#include "target.h"

namespace fastformer::fuzz {

/// Histories and candidates inside the table of items, and ids in UTF-8.
inline void check_log(const recommendation::ImpressionLog& log,
                      const recommendation::ItemTable& items, std::int64_t history) {
  for (std::int64_t i = 0; i < log.size(); ++i) {
    const auto impression = log[i];
    check(std::ssize(impression.history) <= history, "a history is as short as it should be");
    for (const auto item : impression.history) {
      check(item > 0 && item < items.size(), "a history is inside the table");
    }
    check(!impression.candidates.empty(), "an impression shows items");
    for (const auto& candidate : impression.candidates) {
      check(candidate.item() >= 0 && candidate.item() < items.size(),
            "a candidate is inside the table");
    }
    check_utf8(impression.id, "an id is UTF-8");
  }
}

inline void check_clicks(const recommendation::DataConfig& config) {
  const auto source = recommendation::read_clicks(config);
  check_log(source.parts.train, source.items, config.history);
  check_log(source.parts.validation, source.items, config.history);
  check_log(source.parts.test, source.items, config.history);
}

}  // namespace fastformer::fuzz

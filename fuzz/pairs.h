#pragma once

#include "fastformer/summarization/data_config.h"
#include "fastformer/summarization/readers/reader.h"
#include "target.h"

namespace fastformer::fuzz {

/// Reads all pairs of the file: their texts are UTF-8 without white space around them.
inline void check_pairs(const std::string& format, const std::filesystem::path& file) {
  summarization::DataConfig config;
  config.format = format;
  const auto reader = summarization::open_pair_reader(config, file);
  for (summarization::TextPair pair; reader->next(pair);) {
    for (const auto* text : {&pair.source, &pair.target}) {
      check_utf8(*text, "a text is UTF-8");
      check(text->find('\r') == std::string::npos, "lines end in line feeds");
      check(text->empty() || (!text->starts_with(' ') && !text->ends_with('\n')),
            "a text is trimmed");
    }
  }
}

}  // namespace fastformer::fuzz

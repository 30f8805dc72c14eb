#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "fastformer/summarization/extractive/extractive_summarizer.h"

namespace fastformer::cli {

/// A document as part of an HTML page: chosen sentences are marked, and each sentence has its score
/// as its title. The page begins and ends with the other two.
std::string highlighted_html(const RankedDocument& document, std::span<const std::size_t> chosen);
std::string highlight_page_begin();
std::string highlight_page_end();

/// Prints a document with its chosen sentences marked, and their scores after them: in colour on a
/// terminal, between ** elsewhere.
void write_highlighted(const RankedDocument& document, std::span<const std::size_t> chosen);

}  // namespace fastformer::cli

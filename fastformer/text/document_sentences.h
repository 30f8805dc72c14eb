#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "fastformer/base/config_field.h"

namespace fastformer::text {

/// What a part of a document is.
///
/// Headings are lines without punctuation at their ends, of at most twelve words and 120
/// characters, at most three of them in a row and with other text after them; and lines that begin
/// as headings do in Markdown ("## Results"). A list item begins with a bullet, a number of at most
/// three digits or a letter ("- ", "2. ", "b) "), a caption with the name and number of a figure or
/// a table
/// ("Figure 3:", "Tab. 2.").
enum class SentenceKind : std::uint8_t { kSentence, kHeading, kListItem, kCaption };

struct Sentence {
  std::string_view text;  ///< a part of the document, without surrounding white space
  SentenceKind kind = SentenceKind::kSentence;
};

/// A longer sentence is cut at white space, else between characters, so that none has more bytes.
inline constexpr std::size_t kLongestSentence = 600;

/// Splits a document into sentences, in order, as split_sentences() does, except that
/// - a line continues on the next line in hard-wrapped paragraphs, and if it has at least 40
///   characters, no punctuation at its end, and the next line begins with a lower-case letter;
/// - sentences without a letter or a digit are skipped;
/// - sentences longer than kLongestSentence are cut.
///
///   document_sentences("Results\n\nThe speed was measured\nin May. It doubled.");
///   // the heading "Results", and two sentences, the first with a line break
///
/// The views point into `document`. The time is linear in the length. Throws std::runtime_error if
/// ICU's data are missing.
std::vector<Sentence> document_sentences(std::string_view document);

/// The indices of the sentences that a summary may consist of: without headings and captions, or
/// all if there is nothing else.
std::vector<std::size_t> text_sentences(std::span<const Sentence> sentences);

}  // namespace fastformer::text

namespace fastformer::base {
template <>
inline constexpr std::array kWords<text::SentenceKind> = {"sentence", "heading", "list item",
                                                          "caption"};
}  // namespace fastformer::base

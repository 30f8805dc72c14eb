#include "fastformer/text/document_sentences.h"

#include <unicode/uchar.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "fastformer/base/ascii.h"
#include "fastformer/text/character_class.h"
#include "fastformer/text/characters.h"
#include "fastformer/text/sentences.h"

namespace fastformer::text {
namespace {

constexpr std::size_t kMostHeadingWords = 12, kMostHeadingLength = 120, kMostHeadings = 3;
// The widths, in characters, at which programs break paragraphs.
constexpr std::size_t kNarrowest = 40, kWidest = 120;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) {
  const char lower = base::ascii_lowercase(c);
  return lower >= 'a' && lower <= 'z';
}

// In characters.
std::size_t length_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

// Whether a text ends as sentences do, in any script; also with a colon or a comma, or with a
// bracket or quotation mark after any of them.
bool ends_with_punctuation(std::string_view text) {
  while (!text.empty()) {
    const auto last = last_character(text);
    const auto kind = u_charType(static_cast<UChar32>(last));
    const bool closes =
        kind == U_END_PUNCTUATION || kind == U_FINAL_PUNCTUATION || last == U'"' || last == U'\'';
    if (!closes) return kind == U_OTHER_PUNCTUATION && last != U'%' && last != U'&' && last != U'*';
    text.remove_suffix(last_length(text));
    text = without_white_space(text);
  }
  return false;
}

bool has_word(std::string_view text) {
  bool found = false;
  visit_characters(text, [&](std::string_view) {
    found = true;
    return false;
  });
  return found;
}

std::size_t words_in(std::string_view text) {
  std::size_t words = 0;
  bool inside = false;
  for (; !text.empty(); text.remove_prefix(first_length(text))) {
    const bool blank = is_white_space(first_character(text));
    if (!blank && !inside) ++words;
    inside = !blank;
  }
  return words;
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// "## ", at most six marks.
bool begins_markdown(std::string_view line) {
  const auto marks = std::min(line.find_first_not_of('#'), line.size());
  return marks >= 1 && marks <= 6 && marks < line.size() && is_blank(line[marks]);
}

bool begins_with_bullet(std::string_view line) {
  for (const std::string_view bullet : {"-", "*", "+", "•", "‣", "◦", "▪", "–", "—"}) {
    if (line.starts_with(bullet) && line.size() > bullet.size() && is_blank(line[bullet.size()])) {
      return true;
    }
  }
  return false;
}

// A number of at most three digits with a dot or a bracket, or a letter with a bracket.
bool begins_with_number(std::string_view line) {
  if (line.starts_with('(')) line.remove_prefix(1);
  std::size_t digits = 0;
  while (digits < line.size() && is_digit(line[digits])) ++digits;
  const bool letter = digits == 0 && line.size() > 1 && is_letter(line[0]) && line[1] == ')';
  const std::size_t mark = letter ? 1 : digits;
  return (letter || (digits > 0 && digits <= 3)) && mark + 1 < line.size() &&
         (line[mark] == '.' || line[mark] == ')') && is_blank(line[mark + 1]);
}

bool begins_item(std::string_view line) {
  return begins_with_bullet(line) || begins_with_number(line);
}

bool begins_caption(std::string_view line) {
  const auto first = line.substr(0, std::min(line.find_first_of(" \t"), line.size()));
  const auto name = base::ascii_lowercase(first);
  const auto rest = without_white_space(line.substr(first.size()));
  for (const std::string_view word : {"photo:", "image:", "caption:", "picture:"}) {
    if (name == word) return true;
  }
  for (const std::string_view word : {"figure", "fig.", "fig", "table", "tab.", "abbildung", "abb.",
                                      "tabelle", "figura", "tabla", "tableau"}) {
    if (name != word) continue;
    const auto number = rest.find_first_not_of("0123456789");
    return number != std::string_view::npos && number > 0 &&
           (rest[number] == ':' || rest[number] == '.');
  }
  return false;
}

// "2.1." or "IV.": a part of a heading or of an item, but no sentence.
bool is_number(std::string_view piece) {
  const bool digits = piece.find_first_not_of("0123456789.()") == std::string_view::npos;
  const bool roman = piece.find_first_not_of("IVXLC.") == std::string_view::npos;
  return digits || roman;
}

struct Line {
  std::string_view text;  // trimmed; empty between paragraphs
  bool continues = false;
};

// Lines with text, and one empty line for each gap between paragraphs. A line ends with \r, \n or
// both.
std::vector<Line> lines_of(std::string_view document) {
  std::vector<Line> lines;
  while (!document.empty()) {
    const auto end = std::min(document.find_first_of("\r\n"), document.size());
    const auto line = without_white_space(document.substr(0, end));
    const bool both = document.substr(end).starts_with("\r\n");
    document.remove_prefix(std::min(end + (both ? 2 : 1), document.size()));
    if (!line.empty() || (!lines.empty() && !lines.back().text.empty())) lines.push_back({line});
  }
  return lines;
}

// Whether a line begins a heading, an item or a caption after the line `before` of its paragraph. A
// number in the middle of a sentence may come to stand at the beginning of a line.
bool begins_part(std::string_view line, std::string_view before) {
  if (begins_markdown(line) || begins_with_bullet(line)) return true;
  if (!begins_with_number(line) && !begins_caption(line)) return false;
  return begins_item(before) || ends_with_punctuation(before) || length_of(before) < kNarrowest;
}

// Whether a program broke a paragraph at a fixed width: the next word would not have fit.
bool is_wrapped(std::span<const Line> lines) {
  std::vector<std::size_t> lengths;
  for (const auto& line : lines) lengths.push_back(length_of(line.text));
  const auto longest = *std::max_element(lengths.begin(), lengths.end());
  if (longest < kNarrowest || longest > kWidest) return false;
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
    const auto next = lines[i + 1].text;
    const auto word = length_of(next.substr(0, std::min(next.find(' '), next.size())));
    if ((lengths[i] + 1 + word) * 8 < longest * 7) return false;
  }
  return true;
}

bool goes_on(std::string_view line, std::string_view next) {
  return length_of(line) >= kNarrowest && !ends_with_punctuation(line) &&
         u_islower(static_cast<UChar32>(first_character(next))) != 0;
}

void join_lines(std::vector<Line>& lines) {
  for (std::size_t begin = 0; begin < lines.size();) {
    auto end = begin + 1;
    while (end < lines.size() && !lines[begin].text.empty() &&
           !begins_markdown(lines[begin].text) && !lines[end].text.empty() &&
           !begins_part(lines[end].text, lines[end - 1].text)) {
      ++end;
    }
    const bool wrapped = is_wrapped(std::span(lines).subspan(begin, end - begin));
    for (auto i = begin; i + 1 < end; ++i) {
      lines[i].continues = wrapped || goes_on(lines[i].text, lines[i + 1].text);
    }
    begin = end;
  }
}

// Where a piece of at most kLongestSentence bytes ends.
std::size_t cut_of(std::string_view text) {
  if (text.size() <= kLongestSentence) return text.size();
  const auto blank = text.find_last_of(" \t\r\n\v\f", kLongestSentence);
  if (blank != std::string_view::npos && blank > 0) return blank;
  auto cut = kLongestSentence;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;
  return cut > 0 ? cut : kLongestSentence;
}

// A paragraph, or a line that stands alone.
struct Block {
  std::string_view text;
  bool single = true;  // one line
  std::vector<std::string_view> pieces = {};
  SentenceKind kind = SentenceKind::kSentence;

  bool may_be_heading() const {
    return single && pieces.size() == 1 && length_of(text) <= kMostHeadingLength &&
           words_in(text) <= kMostHeadingWords && !ends_with_punctuation(text);
  }
};

std::vector<Block> blocks_of(std::string_view document) {
  auto lines = lines_of(document);
  join_lines(lines);
  std::vector<Block> blocks;
  bool open = false;
  for (const auto& line : lines) {
    if (open) {
      auto& block = blocks.back();
      block.single = false;
      block.text = {
          block.text.data(),
          static_cast<std::size_t>(line.text.data() + line.text.size() - block.text.data())};
    } else if (has_word(line.text)) {
      blocks.push_back({.text = line.text});
      open = true;
    }
    open = open && line.continues;
  }
  return blocks;
}

// The sentences of a block by the rules of Unicode.
void split(Block& block) {
  // Line breaks end sentences by these rules, so they become blanks.
  std::string copy(block.text);
  std::replace(copy.begin(), copy.end(), '\n', ' ');
  std::replace(copy.begin(), copy.end(), '\r', ' ');
  for (const auto piece : split_sentences(copy)) {
    block.pieces.push_back(
        block.text.substr(static_cast<std::size_t>(piece.data() - copy.data()), piece.size()));
  }
  auto& pieces = block.pieces;
  if (pieces.size() > 1 && is_number(pieces[0])) {
    pieces[1] = {pieces[0].data(),
                 static_cast<std::size_t>(pieces[1].data() + pieces[1].size() - pieces[0].data())};
    pieces.erase(pieces.begin());
  }
}

void find_kinds(std::vector<Block>& blocks) {
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    auto& block = blocks[i];
    if (begins_markdown(block.text)) {
      block.kind = SentenceKind::kHeading;
    } else if (begins_caption(block.text)) {
      block.kind = SentenceKind::kCaption;
    } else if (begins_item(block.text)) {
      block.kind = SentenceKind::kListItem;
    }
  }
  const auto is_item = [&](std::size_t i) {
    return i < blocks.size() && blocks[i].kind == SentenceKind::kListItem;
  };
  // "1. Introduction" that stands alone may be a heading; an item among items is none.
  const auto may_be_heading = [&](std::size_t i) {
    const auto& block = blocks[i];
    const bool plain =
        block.kind == SentenceKind::kSentence || (is_item(i) && begins_with_number(block.text) &&
                                                  !is_item(i + 1) && (i == 0 || !is_item(i - 1)));
    return plain && block.may_be_heading();
  };
  for (std::size_t begin = 0; begin < blocks.size();) {
    auto end = begin;
    while (end < blocks.size() && may_be_heading(end)) ++end;
    const bool are_headings = end - begin <= kMostHeadings && end < blocks.size();
    for (auto i = begin; are_headings && i < end; ++i) blocks[i].kind = SentenceKind::kHeading;
    begin = std::max(end, begin + 1);
  }
}

}  // namespace

std::vector<Sentence> document_sentences(std::string_view document) {
  auto blocks = blocks_of(document);
  for (auto& block : blocks) split(block);
  find_kinds(blocks);
  std::vector<Sentence> sentences;
  for (const auto& block : blocks) {
    for (auto rest : block.pieces) {
      while (!rest.empty()) {
        const auto end = cut_of(rest);
        const auto sentence = without_white_space(rest.substr(0, end));
        if (has_word(sentence)) sentences.push_back({sentence, block.kind});
        rest.remove_prefix(end);
      }
    }
  }
  return sentences;
}

std::vector<std::size_t> text_sentences(std::span<const Sentence> sentences) {
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < sentences.size(); ++i) {
    const auto kind = sentences[i].kind;
    if (kind != SentenceKind::kHeading && kind != SentenceKind::kCaption) indices.push_back(i);
  }
  if (!indices.empty()) return indices;
  indices.resize(sentences.size());
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  return indices;
}

}  // namespace fastformer::text

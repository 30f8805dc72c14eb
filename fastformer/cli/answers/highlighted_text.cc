#include "fastformer/cli/answers/highlighted_text.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "fastformer/base/format.h"
#include "fastformer/cli/terminal_output.h"

namespace fastformer::cli {
namespace {

std::string escaped(std::string_view text) {
  std::string html;
  for (const char c : text) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      default:
        html += c;
    }
  }
  return html;
}

}  // namespace

std::string highlight_page_begin() {
  return R"(<!doctype html>
<html>
<head>
<meta charset="utf-8">
<title>Summaries</title>
<style>
article { max-width: 45em; margin: 2em auto; line-height: 1.5; white-space: pre-wrap;
          font-family: sans-serif; border-bottom: 1px solid #ccc; padding-bottom: 2em; }
mark { background: #ffe58f; }
</style>
</head>
<body>
)";
}

std::string highlight_page_end() { return "</body>\n</html>\n"; }

std::string highlighted_html(const RankedDocument& document, std::span<const std::size_t> chosen) {
  const std::string_view text = document.text;
  std::string html = "<article dir=\"auto\">";
  std::size_t at = 0;
  for (std::size_t i = 0; i < document.sentences.size(); ++i) {
    const auto& sentence = document.sentences[i];
    const char* tag = std::binary_search(chosen.begin(), chosen.end(), i) ? "mark" : "span";
    html += escaped(text.substr(at, sentence.begin - at)) +
            base::format("<%s title=\"%.4f\">", tag, sentence.score) +
            escaped(document.sentence(i)) + "</" + tag + ">";
    at = sentence.end;
  }
  return html + escaped(text.substr(at)) + "</article>\n";
}

void write_highlighted(const RankedDocument& document, std::span<const std::size_t> chosen) {
  const bool terminal = isatty(STDOUT_FILENO) != 0;
  const auto mark = [&](const char* code) {
    std::cout.flush();
    if (terminal) {
      coloured_output() << code << std::flush;
    } else {
      std::cout << "**";
    }
  };
  std::size_t at = 0;
  for (const auto sentence : chosen) {
    const auto [begin, end, kind, score] = document.sentences[sentence];
    std::cout << std::string_view(document.text).substr(at, begin - at);
    mark("\x1B[1;32m");
    std::cout << document.sentence(sentence);
    mark("\x1B[0m");
    std::cout << base::format(" [%.2f]", score);
    at = end;
  }
  std::cout << std::string_view(document.text).substr(at) << "\n\n";
}

}  // namespace fastformer::cli

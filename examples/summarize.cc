#include <iostream>

#include "fastformer/summarization/summarizer.h"

int main(int count, char** arguments) try {
  if (count != 3) throw std::invalid_argument("usage: summarize MODEL DOCUMENT");
  const auto summarizer = fastformer::Summarizer::load(arguments[1]);
  std::cout << summarizer.summarize(arguments[2]).text << '\n';
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}

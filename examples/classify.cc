#include <iostream>

#include "fastformer/classification/classifier.h"

int main(int count, char** arguments) try {
  if (count != 3) throw std::invalid_argument("usage: classify MODEL TEXT");
  const auto classifier = fastformer::Classifier::load(arguments[1]);
  const auto best = classifier.top(classifier.classify(arguments[2]), 3);
  for (const auto& [label, probability] : best) std::cout << label << ' ' << probability << '\n';
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}

#include <iostream>

#include "fastformer/tasks/classifier.h"

int main(int, char** argv) {
  const auto classifier = fastformer::tasks::Classifier::load(argv[1]);
  std::cout << classifier.classify("Oil prices fall again").label << '\n';
}

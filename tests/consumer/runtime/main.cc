#include <iostream>
#include <stdexcept>

#include "fastformer/runtime/classifier.h"

int main(int argc, char** argv) {
  try {
    fastformer::runtime::Classifier::load(argc > 1 ? argv[1] : "no-model");
  } catch (const std::invalid_argument& error) {
    std::cout << "refused: " << error.what() << '\n';
    return 0;
  }
  return 1;
}

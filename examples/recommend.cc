#include <iostream>

#include "fastformer/recommendation/recommender.h"

int main(int count, char** arguments) try {
  if (count < 4) throw std::invalid_argument("usage: recommend MODEL ITEMS CLICKED_ID...");
  const std::vector<std::string> history(arguments + 3, arguments + count);
  const auto recommender = fastformer::Recommender::load(arguments[1]);
  const auto best = recommender.recommend(recommender.catalogue(arguments[2]), history);
  for (const auto& item : best.items) std::cout << item.score << ' ' << item.id << '\n';
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}

#include "pairs.h"

namespace fastformer::fuzz {

void run(std::string_view bytes) {
  refuses([&] { check_pairs("jsonl", write("a.jsonl", bytes)); });
  refuses([&] { check_pairs("pubmed", write("a.jsonl", bytes)); });
  const auto half = bytes.size() / 2;
  write("a.source", bytes.substr(0, half));
  write("a.target", bytes.substr(half));
  check_pairs("parallel", folder() / "a");
}

}  // namespace fastformer::fuzz

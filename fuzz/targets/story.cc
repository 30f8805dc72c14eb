#include "pairs.h"

namespace fastformer::fuzz {

void run(std::string_view bytes) { check_pairs("story", write("a.story", bytes)); }

}  // namespace fastformer::fuzz

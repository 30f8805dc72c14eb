#include "fastformer/classification/readers/reader.h"
#include "target.h"

namespace fastformer::fuzz {

void run(std::string_view bytes) {
  const auto label = classification::normalized_label(bytes);
  if (!bytes.empty()) check_utf8(label, "a label is UTF-8");
  check(classification::normalized_label(label) == label, "a normalized label stays as it is");
}

}  // namespace fastformer::fuzz

#include "fastformer/data/debian_reader.h"

#include <utility>

namespace fastformer::data {

bool DebianReader::next(Example& example) {
  DebianPackage package;
  do {
    if (!index_.next(package)) return false;
  } while (package.description.empty());
  example.where = index_.where(package);
  example.group = package.group();
  example.text = std::move(package.description);
  example.label = std::move(package.section);
  return true;
}

}  // namespace fastformer::data

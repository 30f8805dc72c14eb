#include "fastformer/serve/private_file.h"

#include <stdexcept>

#include "fastformer/base/printable.h"

namespace fastformer::serve {

void check_private(const std::filesystem::path& file, const std::string& what) {
  using std::filesystem::perms;
  const auto others = perms::group_all | perms::others_all;
  if ((std::filesystem::status(file).permissions() & others) == perms::none) return;
  const auto name = base::excerpt(file.string(), 400);
  throw std::invalid_argument(name + ": other users may read " + what + "; run chmod 600 " + name);
}

}  // namespace fastformer::serve

#include "fastformer/base/config_tree.h"
#include "fastformer/classification/data_config.h"
#include "target.h"

namespace fastformer::fuzz {

// One assignment of --set on each line.
void run(std::string_view bytes) {
  std::vector<std::string> assignments;
  for (constexpr std::size_t kMost = 20; !bytes.empty() && assignments.size() < kMost;) {
    const auto end = std::min(bytes.find('\n'), bytes.size());
    assignments.emplace_back(bytes.substr(0, end));
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
  const auto tree = base::ConfigTree::from_assignments(assignments, {"data", "text"});
  classification::DataConfig config;
  if (refuses([&] { tree.read_section("data", config); })) return;
  base::ConfigTree written;
  written.write_section("data", config);
  classification::DataConfig again;
  base::ConfigTree::from_toml(write("recipe.toml", written.to_toml())).read_section("data", again);
  base::ConfigTree twice;
  twice.write_section("data", again);
  check(twice.to_toml() == written.to_toml(), "a section survives writing and reading");
}

}  // namespace fastformer::fuzz

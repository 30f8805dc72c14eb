#include "clicks.h"

namespace fastformer::fuzz {

// A file of interactions, and after a NUL one of items, or a usual one.
void run(std::string_view bytes) {
  const auto cut = bytes.find('\0');
  write("recbole/a.inter", bytes.substr(0, cut));
  write("recbole/a.item", cut == std::string_view::npos
                              ? "item_id:token\ttitle:token_seq\n1\tone\n2\ttwo\n3\tthree\n"
                              : bytes.substr(cut + 1));
  recommendation::DataConfig config;
  config.format = "recbole";
  config.sampled_negatives = 2;
  config.history = 2;
  config.train = {(folder() / "recbole").string()};
  check_clicks(config);
}

}  // namespace fastformer::fuzz

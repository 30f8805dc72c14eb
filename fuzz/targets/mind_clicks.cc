#include "clicks.h"

namespace fastformer::fuzz {

// A behaviors.tsv about three items.
void run(std::string_view bytes) {
  auto choices = provider(take_choices(bytes, 2));
  write("mind/news.tsv", "N1\ta\tb\tone\tx\nN2\ta\tb\ttwo\ty\nN3\tc\td\tthree\tz\n");
  write("mind/behaviors.tsv", bytes);
  recommendation::DataConfig config;
  config.history = choices.ConsumeIntegralInRange(1, 4);
  (choices.ConsumeBool() ? config.train : config.test) = {(folder() / "mind").string()};
  if (!config.train.empty() && choices.ConsumeBool()) config.validation_fraction = 0.5;
  check_clicks(config);
}

}  // namespace fastformer::fuzz

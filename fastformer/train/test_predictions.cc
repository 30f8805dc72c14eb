#include "fastformer/train/test_predictions.h"

#include <charconv>
#include <stdexcept>
#include <string>
#include <string_view>

#include "fastformer/base/atomic_file.h"

namespace fastformer::train {
namespace {

constexpr std::string_view kHeader = "label,predicted";

// Reads a number at the front of `text` and cuts it off.
bool take_number(std::string_view& text, std::int32_t& number) {
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  if (result.ec != std::errc() || number < 0) return false;
  text.remove_prefix(static_cast<std::size_t>(result.ptr - text.data()));
  return true;
}

bool take_comma(std::string_view& text) {
  if (!text.starts_with(',')) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

void write_predictions(const std::filesystem::path& path, const TestPredictions& predictions) {
  std::string text = std::string(kHeader) + "\n";
  for (std::size_t i = 0; i < predictions.labels.size(); ++i) {
    text += std::to_string(predictions.labels[i]) + "," + std::to_string(predictions.predicted[i]) +
            "\n";
  }
  base::write_file_atomically(path, text);
}

TestPredictions read_predictions(const std::filesystem::path& path) {
  const std::string content = base::read_file(path);
  TestPredictions predictions;
  std::string_view rest = content;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    std::int32_t label = 0, predicted = 0;
    const bool good = number == 1 ? line == kHeader
                                  : take_number(line, label) && take_comma(line) &&
                                        take_number(line, predicted) && line.empty();
    if (!good) {
      throw std::invalid_argument(
          path.string() + ":" + std::to_string(number) + ": expected " +
          (number == 1 ? "the header " + std::string(kHeader) : "two class numbers such as 3,1") +
          "; delete the folder of the run, so that it is run again");
    }
    if (number == 1) continue;
    predictions.labels.push_back(label);
    predictions.predicted.push_back(predicted);
  }
  return predictions;
}

}  // namespace fastformer::train

#include "fastformer/data/click_data_config.h"

#include <stdexcept>

namespace fastformer::data {

void ClickDataConfig::validate() const {
  if (title_columns.empty()) {
    throw std::invalid_argument("data.title_columns is empty; name at least one column");
  }
  if (validation_fraction + test_fraction > 0.95) {
    throw std::invalid_argument(
        "data.validation_fraction and data.test_fraction must together be at most 0.95, so that "
        "training impressions remain");
  }
  if (validation_fraction > 0 && !validation.empty()) {
    throw std::invalid_argument(
        "data.validation and data.validation_fraction exclude each other; remove one");
  }
  if (test_fraction > 0 && !test.empty()) {
    throw std::invalid_argument("data.test and data.test_fraction exclude each other; remove one");
  }
  if (format != "mind" && !news.empty()) {
    throw std::invalid_argument("data.news is for the format mind; the format '" + format +
                                "' has its items beside the clicks, remove it");
  }
}

}  // namespace fastformer::data

#include "fastformer/data/pair_config.h"

#include <stdexcept>

namespace fastformer::data {
namespace {

void check_fields(const PairDataConfig& config) {
  if (config.format == "jsonl" || config.format == "parallel") {
    if (config.source_field.empty() || config.target_field.empty()) {
      throw std::invalid_argument(
          "data.source_field and data.target_field must name where document and summary are");
    }
    if (config.source_field == config.target_field) {
      throw std::invalid_argument("data.source_field and data.target_field are both '" +
                                  config.source_field + "'; the summary would be its document");
    }
    return;
  }
  const PairDataConfig standard;
  if (config.source_field != standard.source_field ||
      config.target_field != standard.target_field) {
    throw std::invalid_argument(
        "data.source_field and data.target_field are for jsonl and parallel; the format '" +
        config.format + "' has its own, remove them");
  }
}

void check_lengths(std::int64_t minimum, std::int64_t maximum, const std::string& side) {
  if (minimum < 1 || maximum < 0) {
    throw std::invalid_argument("data.min_" + side + "_tokens must be at least 1 and data.max_" +
                                side + "_tokens at least 0 (no limit)");
  }
  if (maximum > 0 && minimum > maximum) {
    throw std::invalid_argument("data.min_" + side + "_tokens is " + std::to_string(minimum) +
                                ", above data.max_" + side + "_tokens " + std::to_string(maximum) +
                                "; no pair would be left");
  }
}

}  // namespace

void PairDataConfig::validate() const {
  check_fields(*this);
  check_lengths(min_source_tokens, max_source_tokens, "source");
  check_lengths(min_target_tokens, max_target_tokens, "target");
  if (!(validation_fraction >= 0 && validation_fraction <= 0.9)) {
    throw std::invalid_argument("data.validation_fraction must be from 0 to 0.9");
  }
  if (validation_fraction > 0 && !validation.empty()) {
    throw std::invalid_argument(
        "data.validation names files, so data.validation_fraction must be 0");
  }
}

}  // namespace fastformer::data

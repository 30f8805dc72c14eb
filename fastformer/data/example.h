#pragma once

#include <cstdint>
#include <string>

namespace fastformer::data {

/// One row of a data set, as a reader gives it.
struct Example {
  std::string text;
  std::string label;  ///< empty where the source has none
  std::string group;  ///< rows with equal groups stay in one split; empty: a group of its own
  std::string where;  ///< "train.csv:17", for messages
};

}  // namespace fastformer::data

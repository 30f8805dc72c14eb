#pragma once

#include <cstddef>
#include <string>

#include "fastformer/kernels/options.h"

namespace fastformer::run {

/// The texts are the lines of `input`; answers go to the standard output, in their order.
struct Request {
  std::string model;  ///< model directory of a classifier
  std::string input =
      "-";  ///< text file, in any packing that data::LineStream reads; -: standard input
  std::size_t top = 1;  ///< classes per text
  Options options;
};

/// Label, probability and text, separated by tabs, as `fastformer predict` prints them; several
/// labels of a text are separated by semicolons, and so are their probabilities. They throw
/// std::invalid_argument for a model or an input that cannot be read, std::runtime_error if the
/// output cannot be written.
void classify(const Request& request);
/// The vector of each text, its numbers in columns.
void embed(const Request& request);
/// runtime::explanation_json() of each text, in lines.
void explain(const Request& request);

}  // namespace fastformer::run

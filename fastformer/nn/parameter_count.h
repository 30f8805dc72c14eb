#pragma once

#include <cstdint>

#include "fastformer/nn/parameter_store.h"

namespace fastformer::nn {

/// How many numbers a model has. `outside_tables` leaves out the embeddings of tokens, pairs and
/// positions, of which a token touches one row each: what is left multiplies every token.
struct ParameterCount {
  std::int64_t all = 0, outside_tables = 0;
};

ParameterCount count_of(const ParameterMap& parameters);

}  // namespace fastformer::nn

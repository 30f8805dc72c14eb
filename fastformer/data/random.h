#pragma once

#include "fastformer/base/random.h"

namespace fastformer::data {

using base::fnv1a;
using base::mix64;
using base::Random;

}  // namespace fastformer::data

#pragma once

#include "fastformer/train/task_kind.h"

namespace fastformer::recommendation {

/// Recommendation, for the table of tasks.
train::TaskKind task_kind();

}  // namespace fastformer::recommendation

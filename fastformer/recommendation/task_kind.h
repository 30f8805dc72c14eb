#pragma once

#include "fastformer/train/task_kind.h"

namespace fastformer::recommendation {

/// News recommendation, for the table of tasks.
train::TaskKind task_kind();

}  // namespace fastformer::recommendation

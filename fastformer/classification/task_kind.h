#pragma once

#include "fastformer/train/task_kind.h"

namespace fastformer::classification {

/// Text classification, for the table of tasks.
train::TaskKind task_kind();

}  // namespace fastformer::classification

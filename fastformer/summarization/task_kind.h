#pragma once

#include "fastformer/train/task_kind.h"

namespace fastformer::summarization {

/// Summarization, for the table of tasks.
train::TaskKind task_kind();

}  // namespace fastformer::summarization

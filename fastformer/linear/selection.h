#pragma once

#include "fastformer/linear/linear_config.h"
#include "fastformer/linear/linear_member.h"
#include "fastformer/linear/solver.h"

namespace fastformer::linear {

/// What was chosen for a member, with the calibration of its scores.
struct Choice {
  MemberConfig config;
  Calibration calibration;
};

/// Chooses words, characters and C of a member, one after another, by the cross-entropy of its
/// calibrated scores. LinearModel::fit says on which rows. Of several labels per text, those of a
/// sample of them decide.
Choice choose(const LabelledRows& train, const LabelledRows& validation, const NgramTable& table,
              Weighting weighting, const LinearConfig& config);

}  // namespace fastformer::linear

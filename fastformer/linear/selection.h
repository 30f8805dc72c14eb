#pragma once

#include "fastformer/linear/linear_config.h"
#include "fastformer/linear/linear_member.h"
#include "fastformer/linear/solver.h"

namespace fastformer::linear {

/// The selected settings of a member, and the calibration of its scores.
struct Choice {
  MemberConfig config;
  Calibration calibration;
};

/// Selects words, characters, minimum of texts and C of a member, one after another, by the
/// cross-entropy of its calibrated scores. For the rows that it uses, see LinearModel::fit. If
/// texts have several labels, a sample of the labels is used.
Choice choose(const LabelledRows& train, const LabelledRows& validation, const NgramTable& table,
              Weighting weighting, const LinearConfig& config);

}  // namespace fastformer::linear

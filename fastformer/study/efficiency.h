#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "fastformer/kernels/options.h"
#include "fastformer/nn/layers/encoder_config.h"
#include "fastformer/nn/mixers/mixer.h"

namespace fastformer::study {

/// What is measured: the efficiency study of Wu et al. (arXiv 2108.09084, figure 2). Every batch
/// has the same number of tokens, in ever fewer and longer sequences.
struct EfficiencyOptions {
  std::vector<nn::MixerConfig> mixers;
  std::vector<std::int64_t> lengths = {128, 512, 2048, 8192, 32768, 65536};
  std::vector<std::string> passes = {"inference", "training"};
  std::int64_t tokens = 65536;  ///< per batch
  Options compute;              ///< precision and threads
  std::int64_t rounds = 5;      ///< timed passes of a cell, fewer where the budget ends them
  double budget_seconds = 60;   ///< for one cell
  nn::EncoderConfig encoder;    ///< of each layer but for its mixer

  /// Throws std::invalid_argument with one sentence.
  void validate() const;
};

/// One mixer at one length. Times are those of a layer, in milliseconds; bytes beyond the input.
struct EfficiencyCell {
  std::string mixer, pass;
  std::int64_t length = 0;
  std::string precision;
  std::int64_t threads = 0;
  double milliseconds = 0, low = 0, high = 0;  ///< median and quartiles
  std::int64_t peak_bytes = 0;
  double operations = 0;  ///< floating-point operations of the mixer, forward; NaN: not counted
  std::string status;     ///< "measured", or "skipped: " and why

  bool measured() const { return status == "measured"; }
  /// Of the same measurement, whatever came out.
  bool same_place(const EfficiencyCell& other) const;
};

/// Measures every cell that is not among `known`, those of one length together, a pass of each
/// mixer in turn, so that what is compared was measured at the same time. The short cells of a
/// mixer say when its long ones will not fit the budget: these are skipped. Calls `report` for each
/// cell once its length is measured; a stop ends it before the next pass, and loses what was
/// measured of that length.
///
/// The layers are those of `encoder` with random weights; x is random too. Throws what the mixers
/// throw.
void measure_efficiency(const EfficiencyOptions& options, const std::vector<EfficiencyCell>& known,
                        const std::function<bool()>& stop,
                        const std::function<void(const EfficiencyCell&)>& report);

}  // namespace fastformer::study

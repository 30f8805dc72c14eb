#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "fastformer/kernels/options.h"
#include "fastformer/model/encoder_config.h"
#include "fastformer/nn/mixers/mixer.h"

namespace fastformer::study {

/// Options of the efficiency study of Wu et al. (arXiv 2108.09084, figure 2). Every batch has the
/// same number of tokens, in fewer and longer sequences.
struct EfficiencyOptions {
  std::vector<model::MixerConfig> mixers;
  std::vector<std::int64_t> lengths = {128, 512, 2048, 8192, 32768, 65536};
  std::vector<std::string> passes = {"inference", "training"};
  std::int64_t tokens = 65536;   ///< per batch
  Options compute;               ///< precision and threads
  std::int64_t rounds = 5;       ///< timed passes per cell, fewer if the budget ends
  double budget_seconds = 60;    ///< for one cell
  model::EncoderConfig encoder;  ///< of each layer, except its mixer

  /// Throws std::invalid_argument with one sentence.
  void validate() const;
};

/// One mixer at one length. Times are per layer, in milliseconds; bytes exclude the input.
struct EfficiencyCell {
  std::string mixer, pass;
  std::int64_t length = 0;
  std::string precision;
  std::int64_t threads = 0;
  double milliseconds = 0, low = 0, high = 0;  ///< median and quartiles
  std::int64_t peak_bytes = 0;
  /// Floating-point operations of the mixer in the pass; NaN: not counted. Training counts three
  /// times those of inference: for each product, backpropagation has two of the same size.
  double operations = 0;
  std::string
      status;  ///< kMeasured, kMeasuredOnce if the budget ended then, or "skipped: " and why

  static constexpr const char* kMeasured = "measured";
  static constexpr const char* kMeasuredOnce = "measured once";

  bool measured() const { return status == kMeasured || measured_once(); }
  /// In a single pass, the first one, which also loads code.
  bool measured_once() const { return status == kMeasuredOnce; }
  /// Whether both are cells of the same measurement, with any result.
  bool same_place(const EfficiencyCell& other) const;
};

/// Measures every cell that is not in `known`. Cells of one length are measured together, with
/// alternating passes of the mixers, so that compared times are from the same period. Long cells
/// that would exceed the budget, estimated from shorter ones, are skipped. Calls `report` for each
/// cell once its length is measured; a stop ends before the next pass and drops the current length.
///
/// The layers are those of `encoder` with random weights; x is random too. Throws what the mixers
/// throw.
void measure_efficiency(const EfficiencyOptions& options, const std::vector<EfficiencyCell>& known,
                        const std::function<bool()>& stop,
                        const std::function<void(const EfficiencyCell&)>& report);

}  // namespace fastformer::study

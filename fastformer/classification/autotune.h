#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "fastformer/classification/data_config.h"
#include "fastformer/data/cache.h"

namespace fastformer::classification {

/// A trained candidate of autotune().
struct Trial {
  std::string candidate;                 ///< "base", "wide", ...
  std::vector<std::string> assignments;  ///< what it changes in the base recipe
  std::int64_t steps = 0;
  double seconds = 0;  ///< of training and validation
  double score = 0;    ///< train.metric on the validation part
  double loss = 0;     ///< the cross-entropy there, in nats
};

struct AutotuneOptions {
  double seconds = 600;                  ///< for everything, data included
  std::int64_t most_bytes = 0;           ///< of the model's files of parameters; 0: no limit
  std::vector<std::string> assignments;  ///< applied last, to every candidate
  std::function<bool()> stop;            ///< ends the search; the best model so far is saved
  std::function<void(const Trial&)> report;
  data::Notice notice;
};

/// The result of autotune().
struct Tuned {
  Trial best;
  std::vector<Trial> trials;  ///< in the order of training
  std::string table;          ///< the scores on the test part; empty without one
};

/// Searches a classifier for a data set, by successive halving (Jamieson and Talwalkar 2016): all
/// candidates are trained for a quarter of the steps, the better half of them for half of the
/// steps, and the best one completely, without and with adversarial training. The better of the two
/// is trained again on the training and the validation part. A trial begins only if there is time
/// for it, and then for a complete training and the one on all texts; adversarial training follows
/// if there is time left. Judges the whole model on the validation part: by its cross-entropy, or
/// by train.metric if that is neither the accuracy nor micro-F1. Of trials of equal length the best
/// is kept.
///
/// Writes to `folder`: model/, recipe.toml, with which `fastformer train` gives the same model,
/// leaderboard.csv and cache/. A model that is larger than `most_bytes` is quantized, see
/// quantize(); then the test part is measured with the quantized model and only test.json is
/// written for it.
///
/// Throws as Recipe::read() and prepare() do, if the folder has a model or a recipe, and if
/// `most_bytes` is too small, in which case model/ is not quantized.
Tuned autotune(const DataConfig& data, const std::filesystem::path& folder,
               const AutotuneOptions& options);

}  // namespace fastformer::classification

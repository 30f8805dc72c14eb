#include "fastformer/study/efficiency.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <stdexcept>

#include "fastformer/base/format.h"
#include "fastformer/kernels/parallel.h"
#include "fastformer/nn/layers/encoder.h"
#include "fastformer/nn/mixers/low_rank_attention.h"
#include "fastformer/nn/tensor_memory.h"

namespace fastformer::study {
namespace {

constexpr double kMilliseconds = 1e3;

double quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  const double place = share * static_cast<double>(values.size() - 1);
  const auto index = static_cast<std::size_t>(place);
  const auto next = std::min(index + 1, values.size() - 1);
  return std::lerp(values[index], values[next], place - static_cast<double>(index));
}

// The input of all mixers at one length.
struct Batch {
  Batch(std::int64_t tokens, std::int64_t length, std::int64_t width) {
    for (std::int64_t first = 0; first < tokens; first += length) offsets.push_back(first);
    offsets.push_back(tokens);
    at::manual_seed(1);
    x = at::randn({tokens, width});
    gradient = at::randn({tokens, width});
  }

  std::vector<std::int64_t> offsets;
  at::Tensor x, gradient;
};

double operations_of(const model::EncoderConfig& config, std::int64_t tokens, std::int64_t length) {
  nn::ParameterStore store(1);
  const auto mixer = nn::make_mixer(config.mixer, config.mixer_shape(), store, "mixer");
  return 2 * mixer->multiply_adds(length) * static_cast<double>(tokens) /
         static_cast<double>(length);
}

// A cell that is being measured.
class Contender {
 public:
  Contender(const model::EncoderConfig& config, EfficiencyCell cell)
      : config_(config),
        cell_(std::move(cell)),
        store_(1),
        encoder_(config, store_, "encoder"),
        training_(cell_.pass == "training") {}

  // The first pass also loads code and grows scratch: it counts only if no other follows.
  void warm_up(const Batch& batch) {
    const nn::MemoryMeter meter;
    warm_ = run(batch);
    cell_.peak_bytes = meter.peak();
  }

  // One more pass, unless it would exceed the budget.
  void run_round(const Batch& batch, double budget_seconds) {
    if (spent_ + warm_ < budget_seconds) times_.push_back(run(batch));
  }

  EfficiencyCell result(const Batch& batch) {
    const auto& times = times_.empty() ? std::vector<double>{warm_} : times_;
    const double scale = kMilliseconds / static_cast<double>(config_.layers);
    cell_.milliseconds = scale * quantile(times, 0.5);
    cell_.low = scale * quantile(times, 0.25);
    cell_.high = scale * quantile(times, 0.75);
    cell_.operations = (training_ ? 3 : 1) * operations_of(config_, batch.x.size(0), cell_.length);
    cell_.status = times_.empty() ? EfficiencyCell::kMeasuredOnce : EfficiencyCell::kMeasured;
    return cell_;
  }

 private:
  // Seconds of one pass. Rows that inference overwrites are copied before the clock starts.
  double run(const Batch& batch) {
    const nn::Offsets offsets(batch.offsets);
    if (!training_) {
      auto x = batch.x.clone();
      return seconds([&] { encoder_.infer(x, offsets); });
    }
    for (const auto& [name, parameter] : store_.parameters()) parameter.mutable_grad().reset();
    const auto x = batch.x.detach().requires_grad_(true);
    return seconds(
        [&] { encoder_.forward(x, offsets, /*training=*/true, nullptr).backward(batch.gradient); });
  }

  template <class Body>
  double seconds(const Body& body) {
    const auto start = std::chrono::steady_clock::now();
    body();
    const double taken =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    spent_ += taken;
    return taken;
  }

  model::EncoderConfig config_;
  EfficiencyCell cell_;
  nn::ParameterStore store_;
  nn::Encoder encoder_;
  bool training_;
  std::vector<double> times_;
  double warm_ = 0, spent_ = 0;
};

// One pass of each cell per round, so that a disturbance of the machine affects all cells equally.
// False if `stop` ended it.
bool measure(std::vector<std::unique_ptr<Contender>>& contenders, const Batch& batch,
             const EfficiencyOptions& options, const std::function<bool()>& stop) {
  for (const auto& contender : contenders) {
    if (stop()) return false;
    contender->warm_up(batch);
  }
  for (std::int64_t round = 0; round < options.rounds; ++round) {
    for (const auto& contender : contenders) {
      if (stop()) return false;
      contender->run_round(batch, options.budget_seconds);
    }
  }
  return true;
}

// Seconds that the next length will take if time grows with it as it did between the last two, or,
// after one, as a quadratic cost would: the batch has the same tokens, so time grows as length^1.
double estimate(const std::vector<EfficiencyCell>& before, std::int64_t length, double layers) {
  if (before.empty()) return 0;
  const auto& last = before.back();
  double slope = 1;
  if (before.size() > 1) {
    const auto& first = before[before.size() - 2];
    slope = std::log(last.milliseconds / first.milliseconds) /
            std::log(static_cast<double>(last.length) / static_cast<double>(first.length));
  }
  const double ratio = static_cast<double>(length) / static_cast<double>(last.length);
  return last.milliseconds * layers / kMilliseconds * std::pow(ratio, std::max(slope, 0.0));
}

}  // namespace

void EfficiencyOptions::validate() const {
  for (const auto& pass : passes) {
    if (pass != "inference" && pass != "training") {
      throw std::invalid_argument("unknown pass '" + pass + "'; use inference or training");
    }
  }
  if (mixers.empty() || lengths.empty() || passes.empty()) {
    throw std::invalid_argument("efficiency needs a mixer, a length and a pass to measure");
  }
  for (const auto length : lengths) {
    if (length >= 1 && length <= tokens) continue;
    throw std::invalid_argument(
        base::format("a length of %lld does not fit a batch of %lld tokens; expected 1 to %lld",
                     static_cast<long long>(length), static_cast<long long>(tokens),
                     static_cast<long long>(tokens)));
  }
  if (rounds < 1 || !(budget_seconds > 0)) {
    throw std::invalid_argument("efficiency needs at least one round and a budget above 0 seconds");
  }
}

bool EfficiencyCell::same_place(const EfficiencyCell& other) const {
  return mixer == other.mixer && pass == other.pass && length == other.length &&
         precision == other.precision && threads == other.threads;
}

void measure_efficiency(const EfficiencyOptions& options, const std::vector<EfficiencyCell>& known,
                        const std::function<bool()>& stop,
                        const std::function<void(const EfficiencyCell&)>& report) {
  options.validate();
  const kernels::ComputeScope scope(options.compute.precision, options.compute.threads);
  auto lengths = options.lengths;
  std::sort(lengths.begin(), lengths.end());
  std::map<std::string, model::EncoderConfig> configs;
  for (const auto& mixer : options.mixers) {
    auto& config = configs[mixer.name()] = options.encoder;
    config.mixer = mixer;
    if (auto* const fields = config.mixer.find_fields<nn::LowRankFields>()) {
      fields->projection_length = std::max(fields->projection_length, lengths.back());
    }
    config.validate();
  }
  for (const auto& pass : options.passes) {
    std::map<std::string, std::vector<EfficiencyCell>> before;  // the shorter ones of each mixer
    for (const auto length : lengths) {
      std::vector<std::unique_ptr<Contender>> contenders;
      for (const auto& mixer : options.mixers) {
        const auto& config = configs.at(mixer.name());
        EfficiencyCell cell{.mixer = mixer.name(),
                            .pass = pass,
                            .length = length,
                            .precision = base::word_of(options.compute.precision),
                            .threads = kernels::thread_count(),
                            .status = {}};
        const auto found = std::find_if(known.begin(), known.end(),
                                        [&](const auto& other) { return other.same_place(cell); });
        if (found != known.end()) {
          if (found->measured()) before[mixer.name()].push_back(*found);
          continue;
        }
        const double expected =
            estimate(before[mixer.name()], length, static_cast<double>(config.layers));
        if (expected > options.budget_seconds) {
          cell.status = base::format("skipped: about %.0f s expected, %.0f s allowed", expected,
                                     options.budget_seconds);
          report(cell);
        } else {
          contenders.push_back(std::make_unique<Contender>(config, std::move(cell)));
        }
      }
      if (contenders.empty()) continue;
      const Batch batch(options.tokens, length, options.encoder.width);
      if (!measure(contenders, batch, options, stop)) return;
      for (const auto& contender : contenders) {
        const auto cell = contender->result(batch);
        before[cell.mixer].push_back(cell);
        report(cell);
      }
    }
  }
}

}  // namespace fastformer::study

#include "fastformer/train/efficiency.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <stdexcept>

#include "fastformer/base/format.h"
#include "fastformer/nn/encoder.h"
#include "fastformer/nn/memory_meter.h"
#include "fastformer/nn/mixer.h"
#include "fastformer/nn/precision.h"

namespace fastformer::train {
namespace {

constexpr double kMilliseconds = 1e3;

double quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  const double place = share * static_cast<double>(values.size() - 1);
  const auto index = static_cast<std::size_t>(place);
  const auto next = std::min(index + 1, values.size() - 1);
  return std::lerp(values[index], values[next], place - static_cast<double>(index));
}

// The encoder of one mixer on one batch.
class Bench {
 public:
  Bench(const nn::EncoderConfig& config, std::int64_t tokens, std::int64_t length)
      : store_(1), encoder_(config, store_, "encoder") {
    for (std::int64_t first = 0; first < tokens; first += length) offsets_.push_back(first);
    offsets_.push_back(tokens);
    at::manual_seed(1);
    x_ = at::randn({tokens, config.width});
    gradient_ = at::randn({tokens, config.width});
  }

  // Seconds of one pass. Rows that inference overwrites are copied before the clock starts.
  double run(bool training) {
    const nn::Offsets offsets(offsets_);
    if (!training) {
      auto x = x_.clone();
      return seconds([&] { encoder_.infer(std::move(x), offsets); });
    }
    for (const auto& [name, parameter] : store_.parameters()) parameter.mutable_grad().reset();
    const auto x = x_.detach().requires_grad_(true);
    return seconds(
        [&] { encoder_.forward(x, offsets, /*training=*/true, nullptr).backward(gradient_); });
  }

 private:
  template <class Body>
  static double seconds(const Body& body) {
    const auto start = std::chrono::steady_clock::now();
    body();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }

  nn::ParameterStore store_;
  nn::Encoder encoder_;
  std::vector<std::int64_t> offsets_;
  at::Tensor x_, gradient_;
};

double operations_of(const nn::EncoderConfig& config, std::int64_t tokens, std::int64_t length) {
  nn::ParameterStore store(1);
  const auto mixer = nn::make_mixer(config, store, "mixer");
  return 2 * mixer->multiply_adds(length) * static_cast<double>(tokens) /
         static_cast<double>(length);
}

void measure(const EfficiencyOptions& options, const nn::EncoderConfig& config,
             EfficiencyCell& cell) {
  const auto start = std::chrono::steady_clock::now();
  const auto spent = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  const bool training = cell.pass == "training";
  Bench bench(config, options.tokens, cell.length);
  std::vector<double> times;
  {
    nn::MemoryMeter meter;  // the first pass also loads code and grows scratch
    times.push_back(bench.run(training));
    cell.peak_bytes = meter.peak();
  }
  const double warm = times.back();
  while (static_cast<std::int64_t>(times.size()) <= options.rounds &&
         spent() + warm < options.budget_seconds) {
    times.push_back(bench.run(training));
  }
  if (times.size() > 1) times.erase(times.begin());
  const double scale = kMilliseconds / static_cast<double>(config.layers);
  cell.milliseconds = scale * quantile(times, 0.5);
  cell.low = scale * quantile(times, 0.25);
  cell.high = scale * quantile(times, 0.75);
  cell.operations = operations_of(config, options.tokens, cell.length);
  cell.status = "measured";
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
                        const std::function<bool(const EfficiencyCell&)>& report) {
  options.validate();
  if (options.threads > 0) at::set_num_threads(static_cast<int>(options.threads));
  nn::set_precision(options.precision);
  auto lengths = options.lengths;
  std::sort(lengths.begin(), lengths.end());
  std::map<std::string, nn::EncoderConfig> configs;
  for (const auto& mixer : options.mixers) {
    auto& config = configs[mixer] = options.encoder;
    config.mixer = mixer;
    config.projection_length = std::max(config.projection_length, lengths.back());
    config.validate();
  }
  for (const auto& pass : options.passes) {
    std::map<std::string, std::vector<EfficiencyCell>> before_of;
    for (const auto length : lengths) {
      for (const auto& mixer : options.mixers) {
        const auto& config = configs.at(mixer);
        auto& before = before_of[mixer];
        EfficiencyCell cell{.mixer = mixer,
                            .pass = pass,
                            .length = length,
                            .precision = options.precision,
                            .threads = at::get_num_threads(),
                            .status = {}};
        const auto found = std::find_if(known.begin(), known.end(),
                                        [&](const auto& other) { return other.same_place(cell); });
        if (found != known.end()) {
          if (found->measured()) before.push_back(*found);
          continue;
        }
        const double expected = estimate(before, length, static_cast<double>(config.layers));
        if (expected > options.budget_seconds) {
          cell.status = base::format("skipped: about %.0f s expected, %.0f s allowed", expected,
                                     options.budget_seconds);
        } else {
          measure(options, config, cell);
          before.push_back(cell);
        }
        if (!report(cell)) return;
      }
    }
  }
}

}  // namespace fastformer::train

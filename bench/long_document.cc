// The cost of one long document for a classifier of width 256 with 16 heads and two layers: time
// per token, load of the cores, and memory in addition to the model's, compared with the bytes of
// the rows of the document's embeddings.
//
//   fastformer_long_document THREADS TOKENS...     forward passes
//   fastformer_long_document THREADS train TOKENS...   steps forward and backward
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "fastformer/base/random.h"
#include "fastformer/classification/classifier_model.h"
#include "fastformer/kernels/parallel.h"
#include "fastformer/nn/tensor_memory.h"

namespace {

using namespace fastformer;

constexpr std::int64_t kVocabulary = 30000;
constexpr double kMebibyte = 1 << 20;

// A number of /proc/self/status, in bytes.
double status(const std::string& key) {
  std::ifstream file("/proc/self/status");
  for (std::string word; file >> word;) {
    if (word != key + ":") continue;
    double kibibytes = 0;
    file >> kibibytes;
    return 1024 * kibibytes;
  }
  return 0;
}

// From here on VmHWM is the peak since this call.
void forget_peak() { std::ofstream("/proc/self/clear_refs") << 5; }

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

data::TokenBatch document(std::int64_t tokens) {
  data::TokenBatch batch;
  base::Random random(1);
  batch.offsets = {0, tokens};
  for (std::int64_t i = 0; i < tokens; ++i) {
    batch.ids.push_back(static_cast<std::int32_t>(random.below(kVocabulary)));
  }
  return batch;
}

void run(const classification::ClassifierModel& model, const data::TokenBatch& batch,
         bool training) {
  if (!training) {
    const at::NoGradGuard no_gradient;
    model.forward(batch, /*training=*/false);
    return;
  }
  for (const auto& [name, parameter] : model.parameters()) parameter.mutable_grad().reset();
  model.forward(batch, /*training=*/true).sum().backward();
}

// One row of the table: medians of five passes, or of three where a pass is long.
void measure(const classification::ClassifierModel& model, std::int64_t tokens, bool training) {
  const auto batch = document(tokens);
  const double rows = 4.0 * static_cast<double>(tokens * model.config().text.encoder.width);
  std::vector<double> seconds, busy;
  double growth = 0;
  const int rounds = tokens > 100000 ? 3 : 5;
  for (int round = 0; round < rounds; ++round) {
    forget_peak();
    const double before = status("VmRSS"), cpu = cpu_seconds();
    const auto start = std::chrono::steady_clock::now();
    run(model, batch, training);
    seconds.push_back(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    busy.push_back((cpu_seconds() - cpu) / seconds.back() /
                   static_cast<double>(kernels::thread_count()));
    if (round == 0) growth = status("VmHWM") - before;
  }
  const auto median = [](std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
  };
  std::printf("| %lld | %s | %.3f | %.2f | %.0f | %.0f | %.0f | %.2f |\n",
              static_cast<long long>(tokens), training ? "training" : "forward", median(seconds),
              1e6 * median(seconds) / static_cast<double>(tokens), 100 * median(busy),
              rows / kMebibyte, growth / kMebibyte, growth / rows);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: fastformer_long_document THREADS [train] TOKENS...\n";
    return 2;
  }
  nn::keep_freed_memory();
  try {
    const kernels::ComputeScope scope(kernels::Precision::kFp32, std::stoi(argv[1]));
    model::ClassifierConfig config;
    config.text.max_positions = 0;
    const classification::ClassifierModel model(config, kVocabulary, 4, 1);
    const bool training = std::string(argv[2]) == "train";
    // The first pass loads code and makes threads.
    run(model, document(64), training);
    std::puts(
        "| tokens | pass | seconds | us per token | load of the cores, % | embeddings, MiB | "
        "additional memory, MiB | ratio |\n|---|---|---|---|---|---|---|---|");
    for (int i = training ? 3 : 2; i < argc; ++i) measure(model, std::stoll(argv[i]), training);
  } catch (const std::exception& error) {
    std::cerr << "fastformer_long_document: " << error.what() << '\n';
    return 1;
  }
  return 0;
}

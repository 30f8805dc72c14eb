// The kernels, each against the peak of this machine that is measured in the same process:
// multiply-adds in registers for arithmetic, a copy of memory for traffic. `of_peak` is the share
// of the first. bench/roofline draws them.
//
//   OMP_NUM_THREADS=1 build/release/bin/fastformer_kernels_benchmark
#include <benchmark/benchmark.h>

#include <cstring>
#include <random>
#include <vector>

#include "fastformer/kernels/activation.h"
#include "fastformer/kernels/cube_convolution.h"
#include "fastformer/kernels/dropout.h"
#include "fastformer/kernels/layer_norm.h"
#include "fastformer/kernels/products/gemm.h"
#include "fastformer/kernels/row_pooling.h"
#include "peak_rate.h"

extern "C" void sgemm_(const char* transpose_a, const char* transpose_b, const int* m, const int* n,
                       const int* k, const float* alpha, const float* a, const int* lda,
                       const float* b, const int* ldb, const float* beta, float* c, const int* ldc);

namespace fastformer::kernels {
namespace {

std::vector<float> random_floats(std::int64_t count) {
  std::mt19937 generator(1);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (auto& value : values) value = normal(generator);
  return values;
}

void report(benchmark::State& state, double flops, double bytes) {
  const auto rate = [&](double amount) {
    return benchmark::Counter(amount, benchmark::Counter::kIsIterationInvariantRate);
  };
  state.counters["FLOP/s"] = rate(flops);
  state.counters["B/s"] = rate(bytes);
  state.counters["of_peak"] = rate(flops / fastformer::bench::peak_rate());
}

// y = x W^T, dx = g W and dW = g^T x for 16,384 tokens, on one thread.
void product(benchmark::State& state, Transpose left, Transpose right, std::int64_t m,
             std::int64_t n, std::int64_t k, Operands operands = Operands::kFloat) {
  const auto a = random_floats(m * k), b = random_floats(n * k);
  std::vector<float> c(m * n);
  const auto lda = left == Transpose::kYes ? m : k, ldb = right == Transpose::kYes ? k : n;
  for (auto _ : state) {
    gemm(left, right, m, n, k, a.data(), lda, b.data(), ldb, {}, c.data(), n, operands);
  }
  report(state, 2 * static_cast<double>(m * n * k), 4 * static_cast<double>(m * n + m * k));
}
BENCHMARK_CAPTURE(product, y, Transpose::kNo, Transpose::kYes, 16384, 256, 256);
BENCHMARK_CAPTURE(product, dx, Transpose::kNo, Transpose::kNo, 16384, 256, 256);
BENCHMARK_CAPTURE(product, dw, Transpose::kYes, Transpose::kNo, 256, 256, 16384);
BENCHMARK_CAPTURE(product, y_bf16, Transpose::kNo, Transpose::kYes, 16384, 256, 256,
                  Operands::kBf16);
BENCHMARK_CAPTURE(product, dx_bf16, Transpose::kNo, Transpose::kNo, 16384, 256, 256,
                  Operands::kBf16);
BENCHMARK_CAPTURE(product, dw_bf16, Transpose::kYes, Transpose::kNo, 256, 256, 16384,
                  Operands::kBf16);
BENCHMARK_CAPTURE(product, small, Transpose::kNo, Transpose::kYes, 1024, 256, 256);
BENCHMARK_CAPTURE(product, large, Transpose::kNo, Transpose::kNo, 2048, 1024, 1024);

// The first of them by the BLAS that LibTorch carries.
void blas(benchmark::State& state) {
  const int m = 16384, n = 256;
  const auto a = random_floats(m * n), b = random_floats(n * n);
  std::vector<float> c(m * n);
  const float one = 1, zero = 0;
  for (auto _ : state) {
    sgemm_("T", "N", &n, &m, &n, &one, b.data(), &n, a.data(), &n, &zero, c.data(), &n);
  }
  report(state, 2.0 * m * n * n, 8.0 * m * n);
}
BENCHMARK(blas);

void peak_arithmetic(benchmark::State& state) {
  float sink = 1;
  double work = 0;
  for (auto _ : state) work = fastformer::bench::multiply_add_round(100'000, &sink);
  benchmark::DoNotOptimize(sink);
  report(state, work, 0);
}
BENCHMARK(peak_arithmetic)->Unit(benchmark::kMillisecond);

void peak_memory(benchmark::State& state) {
  const auto from = random_floats(1 << 25);
  std::vector<float> to(from.size());
  for (auto _ : state) {
    std::memcpy(to.data(), from.data(), from.size() * sizeof(float));
    benchmark::ClobberMemory();
  }
  report(state, 0, 8 * static_cast<double>(from.size()));
}
BENCHMARK(peak_memory)->Unit(benchmark::kMillisecond);

struct Pooling {
  Pooling(std::int64_t n_in, std::int64_t width_in, std::int64_t heads_in)
      : n(n_in),
        width(width_in),
        heads(heads_in),
        x(random_floats(n * width)),
        queries(random_floats(heads * width)),
        state(pooling_state_size(width, heads)),
        scratch(row_pooling_scratch_size(width, heads)) {
    for (auto& value : queries) value *= 0.1F;
  }
  void forward() {
    pool_block(x.data(), queries.data(), n, width, heads, state.data(), scratch.data());
  }
  double products() const { return 2 * static_cast<double>(n * width * heads); }
  double bytes() const { return 4 * static_cast<double>(n * width); }

  std::int64_t n, width, heads;
  std::vector<float> x, queries, state, scratch;
};

// Many segments that together do not fit the caches.
void row_pooling(benchmark::State& state) {
  Pooling pooling(state.range(0), 256, state.range(1));
  for (auto _ : state) pooling.forward();
  report(state, 2 * pooling.products(), pooling.bytes());
}
BENCHMARK(row_pooling)->ArgsProduct({{32, 256, 16384}, {1, 16}})->Unit(benchmark::kMicrosecond);

void row_pooling_backward(benchmark::State& state) {
  Pooling pooling(state.range(0), 256, state.range(1));
  pooling.forward();
  std::vector<float> pooled(pooling.queries.size()), statistics(2 * pooling.heads);
  finish_pooling(pooling.state.data(), pooling.width, pooling.heads, pooled.data(),
                 statistics.data());
  std::vector<float> dx(pooling.x.size()), dqueries(pooling.queries.size());
  const auto gradient = pooling.queries;
  for (auto _ : state) {
    pool_block_backward(pooling.x.data(), pooling.queries.data(), pooled.data(), statistics.data(),
                        gradient.data(), pooling.n, pooling.width, pooling.heads, dx.data(),
                        dqueries.data(), pooling.scratch.data());
  }
  report(state, 5 * pooling.products(), 3 * pooling.bytes());
}
BENCHMARK(row_pooling_backward)
    ->ArgsProduct({{32, 256, 16384}, {1, 16}})
    ->Unit(benchmark::kMicrosecond);

// FIM's first convolution of a cube with its maxima: 50 clicked items, 8 words by 8.
struct Cube {
  Cube() {
    convolve_cubes(shape, 1, offsets.data(), x.data(), weight.data(), bias.data(), y.data(),
                   winners.data(), scratch.data());
  }
  // Of the convolution at all places.
  double operations() const {
    return 2 * static_cast<double>(shape.depth * shape.height * shape.width * shape.taps() *
                                   shape.filters);
  }
  double bytes() const { return 4 * static_cast<double>(x.size() + y.size()); }

  CubeShape shape{.channels = 4, .filters = 32, .depth = 50, .height = 8, .width = 8};
  std::vector<std::int64_t> offsets = {0, shape.depth};
  std::vector<float> x = random_floats(shape.depth * shape.slice_size());
  std::vector<float> weight = random_floats(shape.filters * shape.taps());
  std::vector<float> bias = random_floats(shape.filters);
  std::vector<float> y = random_floats(shape.blocks() * shape.filters);
  std::vector<std::uint8_t> winners = std::vector<std::uint8_t>(y.size());
  std::vector<float> scratch = random_floats(cube_convolution_scratch_size(shape));
};

void cube_convolution(benchmark::State& state) {
  Cube cube;
  for (auto _ : state) {
    convolve_cubes(cube.shape, 1, cube.offsets.data(), cube.x.data(), cube.weight.data(),
                   cube.bias.data(), cube.y.data(), cube.winners.data(), cube.scratch.data());
  }
  report(state, cube.operations(), cube.bytes());
}
BENCHMARK(cube_convolution)->Unit(benchmark::kMicrosecond);

// A multiply-add for the weights and one for the patch, of each filter in each block.
void cube_convolution_backward(benchmark::State& state) {
  Cube cube;
  auto dx = cube.x, dweight = cube.weight, dbias = cube.bias;
  for (auto _ : state) {
    convolve_cubes_backward(cube.shape, 1, cube.offsets.data(), cube.x.data(), cube.weight.data(),
                            cube.winners.data(), cube.y.data(), dx.data(), dweight.data(),
                            dbias.data(), cube.scratch.data());
  }
  report(state, 4.0 * static_cast<double>(cube.y.size()) * static_cast<double>(cube.shape.taps()),
         cube.bytes() * 2);
}
BENCHMARK(cube_convolution_backward)->Unit(benchmark::kMicrosecond);

// The element by element steps on a block of rows that lies in the second cache. Operations are
// counted as they are written, an exponential as one.
constexpr std::int64_t kBlock = 256, kWidth = 256;

void layer_norm_block(benchmark::State& state) {
  const auto x = random_floats(kBlock * kWidth), weight = random_floats(kWidth);
  std::vector<float> y(x.size());
  for (auto _ : state) {
    layer_norm(x.data(), weight.data(), weight.data(), 1e-12, kBlock, kWidth, y.data(),
               static_cast<float*>(nullptr));
  }
  report(state, 8.0 * kBlock * kWidth, 8.0 * kBlock * kWidth);
}
BENCHMARK(layer_norm_block)->Unit(benchmark::kMicrosecond);

void gelu_block(benchmark::State& state) {
  const auto x = random_floats(kBlock * kWidth);
  std::vector<float> y(x.size());
  for (auto _ : state) activate(Activation::kGelu, x.data(), kBlock * kWidth, y.data());
  report(state, 26.0 * kBlock * kWidth, 8.0 * kBlock * kWidth);
}
BENCHMARK(gelu_block)->Unit(benchmark::kMicrosecond);

void dropout_block(benchmark::State& state) {
  const auto x = random_floats(kBlock * kWidth);
  std::vector<float> y(x.size());
  for (auto _ : state) {
    dropout_add(x.data(), x.data(), kBlock * kWidth, {.seed = 1, .rate = 0.2}, 0, y.data());
  }
  report(state, 2.0 * kBlock * kWidth, 8.0 * kBlock * kWidth);
}
BENCHMARK(dropout_block)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace fastformer::kernels

BENCHMARK_MAIN();

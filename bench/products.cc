// Products of 256 x 256 weights beside those of oneDNN, OpenBLAS and LibTorch's MKL, on one thread:
//   y = x W^T, dx = g W, dw = g^T x
// Prints a table in Markdown: GFLOP/s (median of the rounds) and the median ratio of a contender's
// time to ours. The contenders take turns. Each answer is compared with the definition first.
//
//   apt-get install libdnnl-dev libopenblas-dev
//   OMP_NUM_THREADS=1 build/release/bin/fastformer_products_benchmark [ROUNDS]
//
// In bf16, all numbers are fp32 in memory, as in the layers. oneDNN reorders rows and weights to
// bf16 first; `bf16 rows` has rows and weights in bf16 before the time begins.
#include <dlfcn.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "fastformer/kernels/products/bf16_product.h"
#include "fastformer/kernels/products/matrix_product.h"
#if FASTFORMER_WITH_ONEDNN
#include <dnnl.hpp>
#endif

namespace {

using namespace fastformer::kernels;

struct Product {
  std::string name;
  Transpose a, b;
  std::int64_t m, n, k;

  std::int64_t lda() const { return a == Transpose::kYes ? m : k; }
  std::int64_t ldb() const { return b == Transpose::kYes ? k : n; }
};

// Row-major operands and result of one product.
struct Case {
  explicit Case(Product the_product) : product(std::move(the_product)) {
    std::mt19937 generator(1);
    std::normal_distribution<float> normal;
    for (auto& value : a) value = normal(generator);
    for (auto& value : b) value = normal(generator);
  }

  // The largest difference from sums in double precision, over sqrt(k), at some places of C.
  double error() const {
    double most = 0;
    for (std::int64_t place = 0; place < product.m * product.n; place += 997) {
      const auto i = place / product.n, j = place % product.n;
      double sum = 0;
      for (std::int64_t l = 0; l < product.k; ++l) {
        const auto left =
            product.a == Transpose::kYes ? a[l * product.m + i] : a[i * product.k + l];
        const auto right =
            product.b == Transpose::kYes ? b[j * product.k + l] : b[l * product.n + j];
        sum += static_cast<double>(left) * right;
      }
      most = std::max(most, std::abs(sum - c[place]));
    }
    return most / std::sqrt(static_cast<double>(product.k));
  }

  Product product;
  std::vector<float> a = std::vector<float>(product.m * product.k);
  std::vector<float> b = std::vector<float>(product.n * product.k);
  std::vector<float> c = std::vector<float>(product.m * product.n);
};

struct Contender {
  std::string name;
  std::function<void()> multiply;
  std::vector<double> seconds;
};

template <class Function>
Contender contender(std::string name, Case& of, Function* function) {
  return {std::move(name),
          [&of, function] {
            const auto& p = of.product;
            function(p.a, p.b, p.m, p.n, p.k, of.a.data(), p.lda(), of.b.data(), p.ldb(), {},
                     of.c.data(), p.n);
          },
          {}};
}

// A library of BLAS: C is the transpose of a product by columns.
using Sgemm = void (*)(const char* transpose_a, const char* transpose_b, const int* m, const int* n,
                       const int* k, const float* alpha, const float* a, const int* lda,
                       const float* b, const int* ldb, const float* beta, float* c, const int* ldc);

// `library`: a handle of dlopen, since the functions of MKL and OpenBLAS have the same names.
void add_blas(const char* name, void* library, Case& of, std::vector<Contender>& contenders) {
  const auto sgemm =
      library == nullptr ? nullptr : reinterpret_cast<Sgemm>(dlsym(library, "sgemm_"));
  if (sgemm == nullptr) return;
  contenders.push_back(
      {name,
       [&of, sgemm] {
         const auto& p = of.product;
         const auto flag = [](Transpose t) { return t == Transpose::kYes ? "T" : "N"; };
         const int m = static_cast<int>(p.n), n = static_cast<int>(p.m), k = static_cast<int>(p.k),
                   lda = static_cast<int>(p.ldb()), ldb = static_cast<int>(p.lda());
         const float one = 1, zero = 0;
         sgemm(flag(p.b), flag(p.a), &m, &n, &k, &one, of.b.data(), &lda, of.a.data(), &ldb, &zero,
               of.c.data(), &m);
       },
       {}});
}

#if FASTFORMER_WITH_ONEDNN
// oneDNN's matmul with its own layout of B; `rounded_before`: A and B are in bf16 already.
class OneDnn {
 public:
  using Memory = dnnl::memory;
  using Type = Memory::data_type;

  OneDnn(Case& of, Type type, bool rounded_before)
      : a_(wrapped(of.product.m, of.product.k, of.product.a, of.product.lda(), of.a.data())),
        b_(wrapped(of.product.k, of.product.n, of.product.b, of.product.ldb(), of.b.data())),
        c_(wrapped(of.product.m, of.product.n, Transpose::kNo, of.product.n, of.c.data())) {
    const auto& p = of.product;
    const Memory::desc a{{p.m, p.k}, type, Memory::format_tag::any},
        b{{p.k, p.n}, type, Memory::format_tag::any};
    const dnnl::matmul::primitive_desc description({a, b, c_.get_desc()}, engine_);
    packed_a_ = Memory(description.src_desc(), engine_);
    packed_b_ = Memory(description.weights_desc(), engine_);
    matmul_ = dnnl::matmul(description);
    rounded_before_ = rounded_before;
    if (rounded_before) reorder();
  }

  void multiply() {
    if (!rounded_before_) reorder();
    matmul_.execute(stream_, {{DNNL_ARG_SRC, same_a() ? a_ : packed_a_},
                              {DNNL_ARG_WEIGHTS, packed_b_},
                              {DNNL_ARG_DST, c_}});
    stream_.wait();
  }

 private:
  Memory wrapped(std::int64_t rows, std::int64_t columns, Transpose transpose, std::int64_t stride,
                 float* data) {
    const bool flipped = transpose == Transpose::kYes;
    return {
        {{rows, columns}, Type::f32, flipped ? Memory::dims{1, stride} : Memory::dims{stride, 1}},
        engine_,
        data};
  }
  bool same_a() const { return packed_a_.get_desc() == a_.get_desc(); }
  void reorder() {
    if (!same_a()) dnnl::reorder(a_, packed_a_).execute(stream_, a_, packed_a_);
    dnnl::reorder(b_, packed_b_).execute(stream_, b_, packed_b_);
    stream_.wait();
  }

  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  Memory a_, b_, c_, packed_a_, packed_b_;
  dnnl::matmul matmul_;
  bool rounded_before_ = false;
};

void add_onednn(Case& of, OneDnn::Type type, std::string name, bool rounded_before,
                std::vector<Contender>& contenders) {
  const auto onednn = std::make_shared<OneDnn>(of, type, rounded_before);
  contenders.push_back({std::move(name), [onednn] { onednn->multiply(); }, {}});
}
#endif

double seconds_of(const std::function<void()>& work) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  int calls = 0;
  double seconds = 0;
  do {
    work();
    ++calls;
    seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  } while (seconds < 0.02);
  return seconds / calls;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Ours comes first.
void compare(const Case& of, const char* precision, double tolerance, int rounds,
             std::vector<Contender> contenders) {
  for (const auto& each : contenders) {
    each.multiply();
    if (!(of.error() < tolerance)) {
      throw std::runtime_error(each.name + " computes another product");
    }
  }
  for (int round = 0; round < rounds; ++round) {
    for (auto& each : contenders) each.seconds.push_back(seconds_of(each.multiply));
  }
  const auto& p = of.product;
  const double operations = 2 * static_cast<double>(p.m * p.n * p.k);
  for (const auto& each : contenders) {
    std::vector<double> ratios;
    for (int round = 0; round < rounds; ++round) {
      ratios.push_back(each.seconds[round] / contenders.front().seconds[round]);
    }
    std::printf("| %s | %lld | %s | %s | %.0f | %.2f |\n", p.name.c_str(),
                static_cast<long long>(std::max(p.m, p.k)), precision, each.name.c_str(),
                operations / median(each.seconds) / 1e9, median(ratios));
    std::fflush(stdout);
  }
}

void run(int rounds) {
  std::printf(
      "| product | rows | precision | contender | GFLOP/s | time to ours "
      "|\n|---|---|---|---|---|---|\n");
  for (const std::int64_t rows : {16384, 2048, 256}) {
    for (const auto& product : {Product{"y", Transpose::kNo, Transpose::kYes, rows, 256, 256},
                                Product{"dx", Transpose::kNo, Transpose::kNo, rows, 256, 256},
                                Product{"dw", Transpose::kYes, Transpose::kNo, 256, 256, rows}}) {
      Case fp32(product), bf16(product);
      std::vector<Contender> in_fp32 = {contender("ours", fp32, matrix_product<float>)};
      std::vector<Contender> in_bf16 = {contender("ours", bf16, bf16_product)};
      add_blas("MKL", dlopen("libtorch_cpu.so", RTLD_NOW | RTLD_LOCAL), fp32, in_fp32);
      add_blas("OpenBLAS", dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL), fp32, in_fp32);
#if FASTFORMER_WITH_ONEDNN
      add_onednn(fp32, OneDnn::Type::f32, "oneDNN", false, in_fp32);
      add_onednn(bf16, OneDnn::Type::bf16, "oneDNN", false, in_bf16);
      add_onednn(bf16, OneDnn::Type::bf16, "oneDNN, bf16 rows", true, in_bf16);
#endif
      compare(fp32, "fp32", 1e-4, rounds, std::move(in_fp32));
      compare(bf16, "bf16", 0.02, rounds, std::move(in_bf16));
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(argc > 1 ? std::max(1, std::atoi(argv[1])) : 9);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "products: %s\n", error.what());
    return 1;
  }
}

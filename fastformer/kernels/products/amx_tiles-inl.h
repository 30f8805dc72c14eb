#pragma once

/// Instructions of Intel's matrix units, for amx_bf16.cc and amx_int8.cc.

// The undefined vectors in the intrinsics of GCC 12 are not ours.
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <immintrin.h>

#include <algorithm>
#include <cstdint>

#define FASTFORMER_AMX                                                            \
  __attribute__((                                                                 \
      target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx512vnni,amx-tile," \
             "amx-bf16,amx-int8")))

namespace fastformer::kernels {

inline constexpr std::int64_t kSide = 16;  // rows of a tile, and columns of a tile of sums
inline constexpr std::int64_t kRowBytes = 64, kTileBytes = kSide * kRowBytes;

// The state of the units for eight whole tiles, while it lives. Other code, such as LibTorch's,
// configures them for itself.
class ConfiguredTiles {
 public:
  FASTFORMER_AMX ConfiguredTiles() {
    struct alignas(64) {
      std::uint8_t palette = 1, first_row = 0;
      std::uint8_t reserved[14] = {};
      std::uint16_t row_bytes[16] = {};
      std::uint8_t rows[16] = {};
    } config;
    std::fill_n(config.row_bytes, 8, std::uint16_t{kRowBytes});
    std::fill_n(config.rows, 8, std::uint8_t{kSide});
    asm volatile("ldtilecfg %0" ::"m"(config) : "memory");
  }
  FASTFORMER_AMX ~ConfiguredTiles() { asm volatile("tilerelease"); }
  ConfiguredTiles(const ConfiguredTiles&) = delete;
  ConfiguredTiles& operator=(const ConfiguredTiles&) = delete;
};

// Instructions name their tiles; the intrinsics of GCC 12 do not say that they read memory.
template <int kTile>
FASTFORMER_AMX inline void zero_tile() {
  asm volatile("tilezero %%tmm%c0" ::"i"(kTile));
}
template <int kTile>
FASTFORMER_AMX inline void load_tile(const void* from, std::int64_t stride) {
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(from), "r"(stride), "i"(kTile) : "memory");
}
template <int kTile>
FASTFORMER_AMX inline void store_tile(void* to, std::int64_t stride) {
  asm volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(to), "r"(stride), "i"(kTile) : "memory");
}

struct Bf16Units {
  template <int kSum, int kLeft, int kRight>
  FASTFORMER_AMX static void multiply_add() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(kSum), "i"(kLeft), "i"(kRight));
  }
};
struct Int8Units {
  template <int kSum, int kLeft, int kRight>
  FASTFORMER_AMX static void multiply_add() {  // unsigned by signed
    asm volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(kSum), "i"(kLeft), "i"(kRight));
  }
};

// One side of a product in bytes: the distances between the rows of a tile, between the tiles of
// one step along the depth and the next, and to the second tile of a step.
struct Operand {
  const std::uint8_t* data;
  std::int64_t stride, step, tile;
};

// Tiles 0 to 3 hold the sums, 4 and 5 rows of the left side, 6 and 7 columns of the right one.
template <class Units, int kRows, int kColumns>
FASTFORMER_AMX inline void multiply_tiles(std::int64_t steps, Operand left, Operand right) {
  for (; steps > 0; --steps, left.data += left.step, right.data += right.step) {
    load_tile<6>(right.data, right.stride);
    load_tile<4>(left.data, left.stride);
    Units::template multiply_add<0, 4, 6>();
    if constexpr (kColumns == 2) {
      load_tile<7>(right.data + right.tile, right.stride);
      Units::template multiply_add<1, 4, 7>();
    }
    if constexpr (kRows == 2) {
      load_tile<5>(left.data + left.tile, left.stride);
      Units::template multiply_add<2, 5, 6>();
      if constexpr (kColumns == 2) Units::template multiply_add<3, 5, 7>();
    }
  }
}

FASTFORMER_AMX inline __mmask16 mask_of(std::int64_t count) {
  return static_cast<__mmask16>((1U << std::clamp<std::int64_t>(count, 0, kSide)) - 1);
}

}  // namespace fastformer::kernels

#include "fastformer/runtime/encoder_layer.h"

#include <algorithm>

#include "fastformer/kernels/activation.h"
#include "fastformer/kernels/row_blocks.h"

namespace fastformer::runtime {
namespace {

// Memory of the calling thread, grown once and kept.
struct Buffers {
  std::vector<float> input;     // of a batch
  std::vector<float> y, inner;  // of a block of rows
};
Buffers& buffers_of_thread() {
  thread_local Buffers buffers;
  return buffers;
}

}  // namespace

EncoderLayer::EncoderLayer(const model::EncoderConfig& config, model::ParameterFile& file,
                           const std::string& name, RowPrecision precision)
    : config_(config), mixer_(config, file, name + ".attention", precision) {
  const bool normalized = config.normalization != model::Normalization::kNone;
  if (normalized) mixer_norm_ = LayerNorm(file, name + ".attention.normalization", config.width);
  if (config.ffn_width == 0) return;
  const auto linear = [&](const char* which, std::int64_t columns, std::int64_t rows) {
    return Linear(LinearWeights(file, name + which, columns, rows, precision));
  };
  ffn_input_ = linear(".feed_forward.input", config.width, config.ffn_width);
  ffn_output_ = linear(".feed_forward.output", config.ffn_width, config.width);
  if (normalized) ffn_norm_ = LayerNorm(file, name + ".feed_forward.normalization", config.width);
}

void EncoderLayer::close_block(float* x, const float* y, std::int64_t n,
                               const LayerNorm& norm) const {
  const auto count = n * config_.width;
  if (config_.normalization == model::Normalization::kPost) {
    if (config_.residual) {
      norm.apply_to_sum(n, x, y, x);
    } else {
      norm.apply(n, y, x);
    }
  } else if (config_.residual) {
    for (std::int64_t i = 0; i < count; ++i) x[i] += y[i];
  } else {
    std::copy_n(y, count, x);
  }
}

// The steps after the mixer, whose output is y, for some rows of x.
void EncoderLayer::finish(float* x, float* y, std::int64_t n, std::vector<float>& hidden) const {
  close_block(x, y, n, mixer_norm_);
  if (!ffn_input_) return;
  const float* input = x;
  if (config_.normalization == model::Normalization::kPre) {
    ffn_norm_.apply(n, x, y);
    input = y;
  }
  auto* inner = sized(hidden, n * config_.ffn_width);
  ffn_input_.apply(n, input, inner);
  activate(config_.activation, ffn_input_, n, inner);
  ffn_output_.apply(n, inner, y);
  close_block(x, y, n, ffn_norm_);
}

void EncoderLayer::run(float* x, std::span<const std::int64_t> offsets, LayerTrace* trace) const {
  const auto d = config_.width, rows = offsets.back();
  const float* input = x;
  if (config_.normalization == model::Normalization::kPre) {
    auto* normalized = sized(buffers_of_thread().input, rows * d);
    kernels::for_each_row_block(rows, [&](std::int64_t, std::int64_t first, std::int64_t n) {
      mixer_norm_.apply(n, x + first * d, normalized + first * d);
    });
    input = normalized;
  }
  thread_local AdditiveMixer::Globals globals;
  mixer_.read(input, offsets, globals, trace);

  // Blocks of whole sequences, or of parts of a long one.
  struct Block {
    std::int64_t first, rows;
    std::vector<AdditiveMixer::Part> parts;
  };
  std::vector<Block> blocks;
  std::vector<std::int64_t> merged;
  const auto sequences = static_cast<std::int64_t>(offsets.size()) - 1;
  for (std::int64_t b = 0; b < sequences; ++b) {
    const auto length = offsets[b + 1] - offsets[b];
    if (mixer_.merges(length)) {
      merged.push_back(b);
      continue;
    }
    for (auto row = offsets[b]; row < offsets[b + 1]; row += kLayerRows) {
      const auto n = std::min(kLayerRows, offsets[b + 1] - row);
      const bool joins = !blocks.empty() && blocks.back().first + blocks.back().rows == row &&
                         blocks.back().rows + n <= kLayerRows;
      if (!joins) blocks.push_back({row, 0, {}});
      blocks.back().rows += n;
      blocks.back().parts.push_back({b, n});
    }
  }
  const auto& shared = globals;
  kernels::parallel_for(0, std::ssize(blocks), 1, [&](std::int64_t begin, std::int64_t end) {
    auto& buffers = buffers_of_thread();
    for (auto i = begin; i < end; ++i) {
      const auto& [row, n, parts] = blocks[i];
      auto* y = sized(buffers.y, n * d);
      mixer_.mix(input + row * d, parts, shared, y);
      finish(x + row * d, y, n, buffers.inner);
    }
  });
  for (const auto b : merged) {
    const auto matrix = mixer_.matrix_of(&globals.keys[b * d]);
    const auto row = offsets[b], length = offsets[b + 1] - row;
    const auto* constant = &globals.constants[b * d];
    kernels::for_each_row_block(length, [&](std::int64_t, std::int64_t first, std::int64_t n) {
      auto& buffers = buffers_of_thread();
      auto* y = sized(buffers.y, n * d);
      matrix.multiply(n, input + (row + first) * d, d, {.row = constant}, y, d);
      finish(x + (row + first) * d, y, n, buffers.inner);
    });
  }
  release_if_large(buffers_of_thread().input);
}

}  // namespace fastformer::runtime

#include "fastformer/train/paper_efficiency.h"

#include <array>
#include <limits>

namespace fastformer::train {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr std::array<std::int64_t, 5> kInferenceLengths = {128, 512, 2048, 8192, 65536};
constexpr std::array<std::int64_t, 3> kTrainingLengths = {512, 8192, 65536};

struct Row {
  const char* mixer;
  const char* complexity;
  std::array<double, 5> inference;
  std::array<double, 3> training;
};

constexpr std::array kRows = {
    Row{"softmax", "N² d", {122, 604, kNone, kNone, kNone}, {1230, kNone, kNone}},
    Row{"sliding_window", "N K d", {33.9, 33.9, 35.1, 37.7, 104}, {95, 182, 991}},
    Row{"block_sparse", "N K d", {78.6, 78.8, 79.9, 86.1, 229}, {151, 293, 1460}},
    Row{"low_rank", "N d / ε²", {59.4, 57.4, 58.8, 63.2, 202}, {173, 356, 2190}},
    Row{"linear", "N d²", {74.8, 74.9, 77.8, 90.5, 164}, {186, 393, 2020}},
    Row{"pooling", "N d w", {545, 559, 566, 606, 2570}, {1700, 3540, 20900}},
    Row{"additive", "N d", {13.1, 13.2, 13.9, 15.5, 57.4}, {37.1, 79, 472}},
};

const Row* row_of(const std::string& mixer) {
  for (const auto& row : kRows) {
    if (mixer == row.mixer) return &row;
  }
  return nullptr;
}

template <std::size_t size>
double at_length(const std::array<std::int64_t, size>& lengths,
                 const std::array<double, size>& times, std::int64_t length) {
  for (std::size_t i = 0; i < size; ++i) {
    if (lengths[i] == length) return times[i];
  }
  return kNone;
}

}  // namespace

std::string paper_complexity(const std::string& mixer) {
  const auto* row = row_of(mixer);
  return row == nullptr ? "" : row->complexity;
}

double paper_time(const std::string& mixer, const std::string& pass, std::int64_t length) {
  const auto* row = row_of(mixer);
  if (row == nullptr) return kNone;
  return pass == "training" ? at_length(kTrainingLengths, row->training, length)
                            : at_length(kInferenceLengths, row->inference, length);
}

}  // namespace fastformer::train

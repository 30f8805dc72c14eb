#include "fastformer/model/stored_parameter.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <stdexcept>

#include "fastformer/base/finite.h"
#include "fastformer/base/printable.h"
#include "fastformer/kernels/products/int8_product.h"
#include "fastformer/kernels/table_rows.h"

namespace fastformer::model {
namespace {

constexpr int kLargestInt4 = 7, kInt4Zero = 8;

[[noreturn]] void fail(const std::string& where, const std::string& what) {
  throw std::invalid_argument(where + " " + what + "; quantize or train the model again");
}

template <class Value>
std::span<const Value> values_of(const base::TensorView& view, const std::string& where) {
  const auto* first = reinterpret_cast<const Value*>(view.data.data());
  if (reinterpret_cast<std::uintptr_t>(first) % alignof(Value) != 0) {
    fail(where, "does not begin at a multiple of " + std::to_string(alignof(Value)) + " bytes");
  }
  return {first, view.data.size() / sizeof(Value)};
}

std::span<const float> floats_of(const base::TensorView& view, const std::string& where) {
  if (view.dtype != "F32") {
    throw std::invalid_argument(where + " holds " + base::excerpt(view.dtype) +
                                " numbers, but the model expects F32");
  }
  const auto values = values_of<float>(view, where);
  if (!base::all_finite(values)) {
    throw std::invalid_argument(
        where + " contains numbers that are not finite; the model has diverged: train it again");
  }
  return values;
}

// Bytes of a row of so many numbers of 4 bits.
std::int64_t int4_bytes(std::int64_t columns) { return (columns + 1) / 2; }

}  // namespace

StoredParameter::StoredParameter(ParameterFile& file, const std::string& name,
                                 const std::vector<std::int64_t>& shape, StoredRows rows)
    : rows_(shape.front()), columns_(shape.size() == 2 ? shape.back() : 1) {
  const auto type = shape.size() == 2 ? file.quantized_type(name) : "";
  if (type == "I8") {
    read_int8(file, name);
  } else if (type == "U8" && rows == StoredRows::kSome) {
    read_int4(file, name);
  } else {
    floats_ = floats_of(file.take(name, shape), file.where(name));
  }
}

void StoredParameter::read_int8(ParameterFile& file, const std::string& name) {
  storage_ = Storage::kInt8;
  const auto& view = file.take(name, {rows_, columns_});
  bytes_ = values_of<std::uint8_t>(view, file.where(name));
  scales_ = floats_of(file.take(name + ".scale", {rows_}), file.where(name + ".scale"));
}

void StoredParameter::read_int4(ParameterFile& file, const std::string& name) {
  storage_ = Storage::kInt4;
  const auto& list = file.take_list(name + ".rows");
  const auto where = file.where(name + ".rows");
  if (list.dtype != "I32") fail(where, "has type " + base::excerpt(list.dtype) + ", expected I32");
  const auto kept = values_of<std::int32_t>(list, where);
  kept_.assign(rows_ / 64 + 1, {});
  std::int64_t before = -1;
  for (const auto row : kept) {
    if (row <= before || row >= rows_)
      fail(where, "must contain ascending row numbers below " + std::to_string(rows_));
    kept_[row / 64].rows |= std::uint64_t{1} << (row % 64);
    before = row;
  }
  for (std::size_t i = 1; i < kept_.size(); ++i) {
    kept_[i].before = kept_[i - 1].before + std::popcount(kept_[i - 1].rows);
  }
  bytes_ = values_of<std::uint8_t>(file.take(name, {std::ssize(kept), int4_bytes(columns_)}),
                                   file.where(name));
  scales_ = floats_of(file.take(name + ".scale", {std::ssize(kept)}), file.where(name + ".scale"));
}

std::int64_t StoredParameter::place_of(std::int64_t row) const {
  const auto& kept = kept_[row / 64];
  const auto own = std::uint64_t{1} << (row % 64);
  return (kept.rows & own) == 0 ? -1 : kept.before + std::popcount(kept.rows & (own - 1));
}

void StoredParameter::add_row(std::int64_t i, float* to) const {
  switch (storage_) {
    case Storage::kFloat: {
      const float* row = floats_.data() + i * columns_;
      for (std::int64_t c = 0; c < columns_; ++c) to[c] += row[c];
      return;
    }
    case Storage::kInt8:
      kernels::add_int8_row(reinterpret_cast<const std::int8_t*>(bytes_.data()) + i * columns_,
                            scales_[i], columns_, to);
      return;
    case Storage::kInt4: {
      const auto place = place_of(i);
      if (place < 0) return;
      kernels::add_int4_row(bytes_.data() + place * int4_bytes(columns_), scales_[place], columns_,
                            to);
      return;
    }
  }
}

void StoredParameter::prefetch_row(std::int64_t i) const {
  constexpr std::int64_t kLine = 64;
  const auto prefetch = [](const void* row, std::int64_t bytes) {
    for (std::int64_t at = 0; at < bytes; at += kLine) {
      __builtin_prefetch(static_cast<const char*>(row) + at);
    }
  };
  switch (storage_) {
    case Storage::kFloat:
      return prefetch(floats_.data() + i * columns_, columns_ * 4);
    case Storage::kInt8:
      __builtin_prefetch(&scales_[i]);
      return prefetch(bytes_.data() + i * columns_, columns_);
    case Storage::kInt4: {
      const auto place = place_of(i);
      if (place < 0) return;
      __builtin_prefetch(&scales_[place]);
      return prefetch(bytes_.data() + place * int4_bytes(columns_), int4_bytes(columns_));
    }
  }
}

std::vector<float> StoredParameter::values() const {
  if (storage_ == Storage::kFloat) return {floats_.begin(), floats_.end()};
  std::vector<float> values(rows_ * columns_);
  for (std::int64_t i = 0; i < rows_; ++i) add_row(i, &values[i * columns_]);
  return values;
}

void QuantizedParameter::add_to(std::map<std::string, base::TensorView>& tensors,
                                const std::string& name) const {
  const auto stored = std::ssize(scales);
  const bool int4 = storage == Storage::kInt4;
  tensors[name] = {int4 ? "U8" : "I8",
                   {stored, int4 ? int4_bytes(columns) : columns},
                   std::as_bytes(std::span(bytes))};
  tensors[name + ".scale"] = {"F32", {stored}, std::as_bytes(std::span(scales))};
  if (int4) tensors[name + ".rows"] = {"I32", {stored}, std::as_bytes(std::span(rows))};
}

QuantizedParameter quantize(std::span<const float> values, std::int64_t columns, Storage storage) {
  QuantizedParameter result;
  result.storage = storage;
  result.columns = columns;
  const auto width = static_cast<std::size_t>(columns);
  if (storage == Storage::kInt8) {
    result.bytes.resize(values.size());
    result.scales.resize(values.size() / width);
    kernels::quantize_rows(values.data(), std::ssize(result.scales), columns, result.bytes.data(),
                           result.scales.data());
    return result;
  }
  for (std::size_t first = 0; first < values.size(); first += width) {
    const auto row = values.subspan(first, width);
    float most = 0;
    for (const float x : row) most = std::max(most, std::abs(x));
    if (most < kernels::kLeastQuantized) continue;
    result.rows.push_back(static_cast<std::int32_t>(first / width));
    result.scales.push_back(most / kLargestInt4);
    const float inverse = kLargestInt4 / most;
    const auto number = [&](std::size_t c) {
      return kInt4Zero + (c < width ? static_cast<int>(std::nearbyint(row[c] * inverse)) : 0);
    };
    for (std::size_t c = 0; c < width; c += 2) {
      result.bytes.push_back(static_cast<std::int8_t>(number(c) + 16 * number(c + 1)));
    }
  }
  return result;
}

}  // namespace fastformer::model

#include "fastformer/cli/answers/vector_output.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <ostream>
#include <stdexcept>

#include "fastformer/base/ascii.h"
#include "fastformer/base/json_text.h"

namespace fastformer::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kVector = "vector";

}  // namespace

VectorFormat vector_format(VectorFormat chosen, const std::filesystem::path& file) {
  if (chosen != VectorFormat::kAuto) return chosen;
  const auto ending = base::ascii_lowercase(file.extension().string());
  if (ending == ".npy") return VectorFormat::kNpy;
  if (ending == ".jsonl" || ending == ".ndjson") return VectorFormat::kJsonl;
  throw std::invalid_argument(file.string() +
                              ": its name ends neither in .npy nor in .jsonl; choose with "
                              "--output-format npy or --output-format jsonl");
}

VectorOutput::VectorOutput(std::ostream& out, VectorFormat format, std::size_t width) : out_(out) {
  if (format == VectorFormat::kNpy) npy_.emplace(out, width);
}

void VectorOutput::write(const Json& record, std::span<const float> vector) {
  ++row_;
  if (!std::ranges::all_of(vector, [](float value) { return std::isfinite(value); })) {
    throw std::invalid_argument("the vector of record " + std::to_string(row_) +
                                " is not a number; the model has diverged, train it again");
  }
  if (npy_) return npy_->write(vector);
  if (record.contains(kVector)) {
    throw std::invalid_argument("record " + std::to_string(row_) + " has a field '" + kVector +
                                "', the name of the result; rename it, or do not use --keep");
  }
  line_ = base::json_text(record);
  line_.back() = record.empty() ? ' ' : ',';  // the brace at its end
  line_ += std::string("\"") + kVector + "\":" + base::json_list(vector);
  out_ << line_ << "}\n";
}

void VectorOutput::finish() {
  if (npy_) npy_->finish();
}

}  // namespace fastformer::cli

#include "fastformer/recommendation/item_index.h"

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include "fastformer/base/format.h"
#include "fastformer/base/random.h"
#include "fastformer/kernels/parallel.h"
#include "fastformer/nn/tensor_file.h"
#include "fastformer/recommendation/recommender_model.h"

namespace fastformer::recommendation {
namespace {

constexpr const char* kChecksum = "checksum";

std::string_view bytes_of(const void* data, std::size_t size) {
  return {static_cast<const char*>(data), size};
}

std::uint64_t hash_of(const at::Tensor& tensor, std::uint64_t hash) {
  return base::fnv1a(bytes_of(tensor.const_data_ptr(), tensor.nbytes()), hash);
}

std::string fingerprint_of(const RecommenderModel& model) {
  std::uint64_t hash = base::fnv1a("");
  for (const auto& [name, tensor] : model.parameters()) {
    hash = hash_of(tensor, base::fnv1a(name, hash));
  }
  return base::hexadecimal(hash);
}

std::string checksum_of(const at::Tensor& keys, const at::Tensor& vectors) {
  return base::hexadecimal(hash_of(vectors, hash_of(keys, base::fnv1a(""))));
}

std::int64_t key_of(std::span<const std::int32_t> title) {
  return static_cast<std::int64_t>(base::fnv1a(bytes_of(title.data(), title.size_bytes())));
}

// The precision of products on the calling thread: vectors of another precision could change ranks.
kernels::Precision rounding() {
  return kernels::token_operands() == kernels::Operands::kBf16 ? kernels::Precision::kBf16
                                                               : kernels::Precision::kFp32;
}

bool fit_together(const at::Tensor& keys, const at::Tensor& vectors) {
  return keys.defined() && vectors.defined() && keys.scalar_type() == at::kLong &&
         at::isFloatingType(vectors.scalar_type()) && keys.dim() == 1 && vectors.dim() == 2 &&
         vectors.size(0) == keys.size(0);
}

}  // namespace

ItemIndex::ItemIndex(const RecommenderModel& model, std::filesystem::path file)
    : model_(model), file_(std::move(file)) {
  if (!model.has_vectors()) {
    throw std::invalid_argument(std::string("a model ") + base::word_of(model.config().model) +
                                " has no item vectors; use nrms or fastformer");
  }
  if (file_.empty()) return;
  metadata_ = {{"model", fingerprint_of(model)}, {"precision", base::word_of(rounding())}};
  if (!std::filesystem::exists(file_)) return;
  auto content = nn::load_tensors(file_);
  const auto checksum = content.metadata.extract(kChecksum);
  const bool own = content.metadata == metadata_ && !checksum.empty();
  const auto keys = content.tensors["keys"], vectors = content.tensors["vectors"];
  if (content.tensors.size() != 2 || !fit_together(keys, vectors) ||
      (own && (vectors.size(1) != model.config().encoder.width ||
               vectors.scalar_type() != model.parameters().begin()->second.scalar_type()))) {
    throw std::invalid_argument(
        file_.string() +
        ": is not an item index and is left unchanged; choose another file, or delete it");
  }
  if (!own) return;
  if (checksum.mapped() != checksum_of(keys, vectors)) {
    throw std::invalid_argument(
        file_.string() +
        ": its checksum does not match its vectors; delete it to compute the vectors again");
  }
  keys_ = keys;
  vectors_ = vectors;
}

at::Tensor ItemIndex::vectors(const TitleTokens& titles) {
  std::map<std::int64_t, std::int64_t> rows;  // by key
  const auto known = keys_.defined() ? keys_.size(0) : 0;
  for (std::int64_t i = 0; i < known; ++i) rows.emplace(keys_.const_data_ptr<std::int64_t>()[i], i);
  std::vector<std::int32_t> fresh;
  std::vector<std::int64_t> new_keys, wanted;
  for (std::int64_t n = 0; n < titles.size(); ++n) {
    const auto key = key_of(titles.title(n));
    const auto [entry, added] =
        rows.try_emplace(key, known + static_cast<std::int64_t>(fresh.size()));
    if (added) {
      fresh.push_back(static_cast<std::int32_t>(n));
      new_keys.push_back(key);
    }
    wanted.push_back(entry->second);
  }
  encoded_ = std::count_if(fresh.begin(), fresh.end(),
                           [&](std::int32_t n) { return !titles.title(n).empty(); });
  if (!fresh.empty()) {
    const auto encoded = encode_titles(model_, titles, fresh);
    if (!at::isfinite(encoded).all().item<bool>()) {
      throw std::invalid_argument(
          "the vector of a title contains a value that is not a number; the model has diverged: "
          "train it again");
    }
    const auto keys = at::tensor(new_keys, at::kLong);
    vectors_ = known > 0 ? at::cat({vectors_, encoded}) : encoded;
    keys_ = known > 0 ? at::cat({keys_, keys}) : keys;
    if (!file_.empty()) {
      auto metadata = metadata_;
      metadata[kChecksum] = checksum_of(keys_, vectors_);
      nn::save_tensors(file_, {{"keys", keys_}, {"vectors", vectors_}}, metadata);
    }
  }
  return vectors_.index_select(0, at::tensor(wanted, at::kLong));
}

}  // namespace fastformer::recommendation

#include "fastformer/classification/pretrained/frozen_documents.h"

#include <c10/core/GradMode.h>

#include <functional>
#include <ostream>
#include <string>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/out_of_memory.h"
#include "fastformer/data/batch.h"
#include "fastformer/kernels/parallel.h"
#include "fastformer/train/prepared_record.h"

namespace fastformer::classification {
namespace {

constexpr std::int64_t kFormatVersion = 1;
constexpr const char* kRowsFile = "rows.f16";
constexpr std::int64_t kBlockTokens = 16384;

// Calls `use` with the rows of all documents in half precision, in their order.
void for_each_block(const ClassifierModel& model, const data::Corpus& texts,
                    const std::function<void(const at::Tensor&)>& use) {
  const c10::NoGradGuard no_gradients;
  data::TokenBatch batch;
  for (std::int64_t row = 0; row < texts.size(); ++row) {
    batch.add(texts.tokens(row));
    if (row + 1 < texts.size() && batch.tokens() < kBlockTokens) continue;
    base::naming_memory([&] { return batch.description(); },
                        [&] { use(model.frozen_rows(batch).to(at::kHalf).contiguous()); });
    batch = {};
  }
}

data::CacheKey key_of(const ClassifierModel& model, const LabelledCorpus& documents) {
  const auto& fields = model.config().pretrained;
  nn::ParameterMap frozen;
  for (const auto& [name, tensor] : model.parameters()) {
    if (!tensor.requires_grad()) frozen[name] = tensor;
  }
  data::CacheKey key;
  key.add(std::string("frozen rows"));
  key.add(kFormatVersion);
  key.add(static_cast<std::int64_t>(documents.texts.checksum()));
  key.add(static_cast<std::int64_t>(train::checksum_of(frozen)));
  key.add_config(fields.bert);
  key.add(static_cast<std::int64_t>(kernels::token_operands()));
  key.add(fields.trainable_layers);
  key.add(fields.chunk_limit());
  key.add(fields.shared_tokens());
  return key;
}

}  // namespace

at::Tensor FrozenDocuments::stored(const LabelledCorpus& documents,
                                   const std::vector<std::int64_t>& offsets) {
  const auto& fields = model_.config().pretrained;
  const auto width = fields.bert.width, count = offsets.back();
  const auto bytes = count * width * std::int64_t{sizeof(at::Half)};
  if (bytes > (cache_.empty() ? kMostBytesInMemory : kMostBytes)) {
    if (notice_) {
      notice_("the output of the frozen layers would take " + std::to_string(bytes >> 30) +
              " GiB; it is not stored, and the encoder reads the documents in each epoch");
    }
    return {};
  }
  const auto announce = [&] {
    if (!notice_) return;
    notice_("the pre-trained encoder reads " + std::to_string(documents.size()) +
            " documents, once");
  };
  if (cache_.empty()) {
    announce();
    const auto rows = at::empty({count, width}, at::kHalf);
    std::int64_t done = 0;
    for_each_block(model_, documents.texts, [&](const at::Tensor& block) {
      rows.narrow(0, done, block.size(0)).copy_(block);
      done += block.size(0);
    });
    return rows;
  }
  const auto folder = data::prepared_folder(
      cache_, key_of(model_, documents),
      [&](const std::filesystem::path& fresh) {
        announce();
        base::write_file_atomically(fresh / kRowsFile, [&](std::ostream& out) {
          for_each_block(model_, documents.texts, [&](const at::Tensor& block) {
            out.write(static_cast<const char*>(block.const_data_ptr()),
                      static_cast<std::streamsize>(block.nbytes()));
          });
        });
      },
      notice_);
  if (count == 0) return at::empty({0, width}, at::kHalf);
  // A private mapping of a file that is larger than the memory would be refused.
  return at::from_file((folder / kRowsFile).string(), /*shared=*/true, count * width, at::kHalf)
      .view({count, width});
}

const FrozenDocuments::Part& FrozenDocuments::part(const LabelledCorpus& documents) {
  const auto [entry, added] = parts_.try_emplace(&documents);
  auto& part = entry->second;
  if (!added) return part;
  part.offsets.push_back(0);
  for (const auto length : documents.texts.lengths()) {
    part.offsets.push_back(part.offsets.back() + model_.frozen_rows_of(length));
  }
  part.rows = stored(documents, part.offsets);
  return part;
}

at::Tensor FrozenDocuments::rows(std::span<const DocumentOfPart> documents) {
  if (!model_.has_frozen_rows() || documents.empty()) return {};
  std::vector<at::Tensor> blocks;
  for (const auto& [corpus, row] : documents) {
    const auto& [rows, offsets] = part(*corpus);
    if (!rows.defined()) return {};
    const auto first = offsets[static_cast<std::size_t>(row)];
    blocks.push_back(rows.narrow(0, first, offsets[static_cast<std::size_t>(row) + 1] - first));
  }
  return at::cat(blocks).to(at::kFloat);
}

}  // namespace fastformer::classification

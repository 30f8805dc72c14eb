#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>
#include <vector>

#include "fastformer/nn/layers/linear.h"
#include "fastformer/nn/mixers/mixer.h"
#include "fastformer/nn/offsets.h"

namespace fastformer::nn {

struct ProjectedLengths {
  at::Tensor rows;   ///< [s, B, k, c]
  at::Tensor input;  ///< x again, see `PooledRows::rows`
};

/// Projects each sequence along its length to k rows (Linformer, Wang et al., arXiv 2006.04768,
/// section 4). For the rows X [n, c] of a sequence, a projection E [k, L] and n <= L:
///   P = E[:, :n] X  [k, c]
/// `projections` [s, g, k, L] has s sets; each has one projection for each of g groups of c / g
/// adjacent columns. x [T, c] -> [s, B, k, c].
///
/// The threads share sequences and columns. In the backward pass, each thread sums its part of the
/// gradient of the projections [g s, longest n, k], and these sums are added in order. Precision as
/// in `Linear`. Throws c10::Error if shapes or types disagree or a sequence is longer than L.
ProjectedLengths project_lengths(const at::Tensor& x, const at::Tensor& projections,
                                 const Offsets& offsets);

/// What uses the same projection in low-rank attention: nothing; the heads of a layer; also its
/// keys and values; also all layers.
enum class ProjectionSharing : std::uint8_t { kNone, kHeads, kKeyValue, kLayers };

struct LowRankFields {
  std::int64_t projection = 16;          ///< k, the rows of projected keys and values
  std::int64_t projection_length = 512;  ///< L, the longest sequence
  ProjectionSharing projection_sharing = ProjectionSharing::kHeads;

  void visit_fields(base::FieldVisitor& visit);
  void validate() const {}
};

/// Low-rank attention, the mixer of Linformer (Wang et al., arXiv 2006.04768, section 4): keys and
/// values are projected along the sequence to k rows. For one sequence with rows X [n, d], h heads
/// and e = d / h, where head t owns columns t e .. (t + 1) e - 1 of every projection:
///
///   Q = X Wq^T + bq,  K = X Wk^T + bk,  V = X Wv^T + bv
///   K'[t] = E_t[:, :n] K[t],  V'[t] = F_t[:, :n] V[t]                               [k, e]
///   O_i[t] = softmax over the k rows of (K'[t] Q_i[t] / sqrt(e)) applied to V'[t]
///
/// then the output projection Wo O_i + bo if there is one. `projection_sharing`:
///   none       E_t and F_t are `key_projection` and `value_projection` [h, k, L];
///   heads      one E and one F for all heads, [k, L];
///   key_value  E = F, `length_projection` [k, L];
///   layers     the same for all layers: `<encoder>.length_projection`.
/// In the paper all sequences have the same length. Here a sequence of n tokens uses the first n
/// columns of the projections, and always all k rows. Sequences longer than L = `projection_length`
/// are rejected.
///
/// A projection that all heads share commutes with a linear layer,
///   E (X Wk^T + 1 bk^T) = (E X) Wk^T + (E 1) bk^T,
/// so if sequences have more than k tokens on average, the k rows are projected instead, and K and
/// V are not computed.
class LowRankAttention final : public Mixer {
 public:
  LowRankAttention(const model::MixerShape& shape, const LowRankFields& fields,
                   ParameterStore& store, const std::string& name);

  /// Throws std::invalid_argument if a sequence is longer than `projection_length`.
  at::Tensor forward(const at::Tensor& x, const Offsets& offsets, MixerTrace* trace) const override;
  double multiply_adds(std::int64_t tokens) const override;

 private:
  struct Attended {
    at::Tensor query, key, value;
  };
  Attended project_rows(const at::Tensor& x, const Offsets& offsets) const;
  Attended project_input(const at::Tensor& x, const Offsets& offsets) const;

  std::int64_t heads_, rank_, length_;
  Linear query_, key_, value_, output_;
  std::vector<at::Tensor> projections_;  // of keys and of values, or one for both
};

}  // namespace fastformer::nn

namespace fastformer::base {
template <>
inline constexpr std::array kWords<nn::ProjectionSharing> = {"none", "heads", "key_value",
                                                             "layers"};
}  // namespace fastformer::base

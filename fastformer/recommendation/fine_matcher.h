#pragma once

#include <array>

#include "fastformer/nn/layers/layer_norm.h"
#include "fastformer/nn/layers/linear.h"
#include "fastformer/recommendation/matcher.h"

namespace fastformer::recommendation {

/// FIM, fine-grained interest matching (Wang et al., ACL 2020, sections 3.2 to 3.4). Compares each
/// word of each clicked title with each word of the candidate's title, without a user vector.
///
///   D^0 = embedded words,  D^l = norm(relu(conv(D^(l-1)))), kernel 3, dilation l, l = 1, 2, 3
///   M^l_k[i, j] = D^l_clicked(k)[i] . D^l_candidate[j] / sqrt(width of the level)
///
/// The matrices of all clicked items form a cube [items, words, words] with 4 channels. Two rounds
/// of 3-D convolution (kernel 3, with 32 and then 16 channels), relu and max pooling over blocks of
/// 3 follow; blocks at the edge may be smaller. A linear layer computes the score from the result.
///
/// The size of the cube is fixed: the first `matched_words` words of each title and the last
/// `matched_items` items of a history, in order. Beyond the end of a title all levels are zero, so
/// an empty title matches nothing; slices beyond the history are zero too. Training stores about 25
/// bytes for each pair of words, see nn/layers/cube_convolution.h.
///
/// Parameters: `levels.<l>.convolution`, `levels.<l>.normalization`, `cube.<i>`, `score`.
class FineMatcher final : public ItemMatcher {
 public:
  FineMatcher(const ModelConfig& config, nn::ParameterStore& store);

  /// [N, matched_words * (d + 3 * filters)].
  at::Tensor encode_items(at::Tensor x, const nn::Offsets& offsets, bool training) const override;
  at::Tensor score(const at::Tensor& items, const ItemLists& histories, const ItemLists& candidates,
                   bool training) const override;
  bool has_vectors() const override { return false; }

 private:
  static constexpr std::int64_t kLevels = 3;

  struct Level {
    nn::Linear convolution;  ///< the weight is [filters, in, 3]
    nn::LayerNorm normalization;
  };

  std::int64_t levels_width() const { return width_ + kLevels * filters_; }
  at::Tensor matches(const at::Tensor& history, const at::Tensor& candidates) const;
  at::Tensor aggregate(const at::Tensor& slices, const nn::Offsets& offsets) const;

  std::int64_t width_, filters_, words_, items_;
  std::array<Level, kLevels> levels_;
  std::array<nn::Linear, 2> cube_;
  nn::Linear score_;
};

}  // namespace fastformer::recommendation

#pragma once

#include <optional>

#include "fastformer/nn/layers/additive_pooling.h"
#include "fastformer/nn/layers/encoder.h"
#include "fastformer/recommendation/matcher.h"

namespace fastformer::recommendation {

/// The scores [C] of the candidates of B users: u_b . r_c. `users` is [B, d], `items` is [N, d].
at::Tensor match_vectors(const at::Tensor& users, const at::Tensor& items,
                         const ItemLists& candidates);

/// Represents users and items by vectors, whose product is the score. One encoder reads the words
/// of a title, another the clicked items; each has any mixer, followed by additive pooling:
///
///   r_n = pool(encoder(words of title n)),   u = pool(user_encoder(r of the clicked items))
///   score = u . r_candidate
///
/// With the additive mixer this is Fastformer (Wu et al., arXiv 2108.09084, section 4.1); with only
/// multi-head attention, NRMS (Wu et al., EMNLP 2019, section 2). PLM-NR (Wu et al., arXiv
/// 2104.07413, section 3) pools the output of a pre-trained encoder:
///
///   r_n = P pool(words of title n),   P [d, w] only if their widths d and w differ.
///
/// A user without clicks has the zero vector, so that all items have equal scores. Parameters:
/// `news.encoder` or `news.projection`, `news.pooling`, `user.encoder`, `user.pooling`.
class TwoTower final : public ItemMatcher {
 public:
  TwoTower(const ModelConfig& config, nn::ParameterStore& store);

  at::Tensor encode_items(at::Tensor x, const nn::Offsets& offsets, bool training) const override;
  at::Tensor score(const at::Tensor& items, const ItemLists& histories, const ItemLists& candidates,
                   bool training) const override;
  bool has_vectors() const override { return true; }

  /// Vectors of users, [B, d].
  at::Tensor encode_users(const at::Tensor& items, const ItemLists& histories, bool training) const;

 private:
  struct Tower {
    std::optional<nn::Encoder> encoder;
    nn::AdditivePooling pooling;
    at::Tensor forward(at::Tensor x, const nn::Offsets& offsets, bool training) const;
  };

  static Tower item_tower(const ModelConfig& config, nn::ParameterStore& store);

  Tower items_;
  at::Tensor projection_;
  Tower user_;
};

}  // namespace fastformer::recommendation

#pragma once

#include <ATen/ATen.h>

namespace fastformer::nn {

/// What the rows of a sequence are multiplied with in place of its keys: logit vectors s_h, scaled
/// by the vector g_b of each sequence, through the keys' weight W,
///   q_bh = W^T (s_h * g_b)
/// logits [h, m], gates [B, m], weight [m, d] -> [B, h, d], since s . (g * W x) = q . x. The
/// products s_h * g_b are formed again in the backward pass, not kept.
///
/// Float or double; throws c10::Error when shapes or types disagree.
at::Tensor key_queries(const at::Tensor& logits, const at::Tensor& gates, const at::Tensor& weight);

}  // namespace fastformer::nn

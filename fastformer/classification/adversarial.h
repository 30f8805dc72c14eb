#pragma once

#include <ATen/ATen.h>

#include <functional>

#include "fastformer/classification/classifier_model.h"
#include "fastformer/data/batch.h"
#include "fastformer/nn/offsets.h"

namespace fastformer::classification {

/// The change to the token vectors x [T, d] that raises a loss most, to first order:
///   r_b = size * |x_b| * g_b / |g_b|
/// for each document b, where g is the gradient of the loss with respect to x, and |.| is the L2
/// norm over all tokens of the document. Where g_b is 0, r_b is 0. `gradient` [T, d] -> [T, d].
at::Tensor adversarial_change(const at::Tensor& x, const at::Tensor& gradient,
                              const nn::Offsets& offsets, double size);

/// Adversarial training (Miyato, Dai and Goodfellow 2017, arXiv 1605.07725). What is minimized is
/// (loss(x) + loss(x + r)) / 2 for the token vectors x of the batch, where the change r counts as a
/// constant. In the paper |r_b| is a constant; relative to |x_b| it depends neither on the length
/// of a document nor on the scale of the embeddings.
///
/// Adds the gradients to those of the parameters, and returns the value. `loss` maps logits
/// [B, classes] to a scalar. Dropout draws from LibTorch's default generator: that of tokens and
/// embeddings once, that of the encoder for each pass anew.
double adversarial_backward(const ClassifierModel& model, const data::TokenBatch& texts,
                            double size,
                            const std::function<at::Tensor(const at::Tensor& logits)>& loss);

}  // namespace fastformer::classification

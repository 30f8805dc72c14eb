#pragma once

#include <array>
#include <cstdint>

#include "fastformer/base/config_field.h"

namespace fastformer::model {

/// The columns that a logit of additive attention depends on: all columns of a token, as in the
/// authors' code, or only those of its own head, as in the paper.
enum class LogitColumns : std::uint8_t { kFull, kPerHead };

/// How the global vector and the vector of a token are combined (see nn::AdditiveAttention).
enum class Interaction : std::uint8_t { kProduct, kAdd, kConcat };

/// The fields of the mixer "additive".
struct AdditiveFields {
  LogitColumns logits = LogitColumns::kFull;
  Interaction interaction = Interaction::kProduct;
  bool share_query_value = true;  ///< V = Q
  bool share_heads = false;       ///< all heads use the same row of A and of C

  void visit_fields(base::FieldVisitor& visit) {
    visit("logits", logits,
          "columns from which an attention logit is computed: all (full), or those of its head "
          "(per_head)");
    visit("interaction", interaction,
          "how the global vector is combined with the vectors of the tokens");
    visit("share_query_value", share_query_value, "use the queries as values");
    visit("share_heads", share_heads, "all heads share the same attention weights");
  }
  void validate() const {}
};

}  // namespace fastformer::model

namespace fastformer::base {
template <>
inline constexpr std::array kWords<model::LogitColumns> = {"full", "per_head"};
template <>
inline constexpr std::array kWords<model::Interaction> = {"product", "add", "concat"};
}  // namespace fastformer::base

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fastformer/text/tokenizer.h"

namespace fastformer::text {

/// The text of tokens that come one after another, in pieces that later tokens do not change:
/// joined, they are what decode() makes of all tokens.
///
///   GrowingText text(tokenizer);
///   for (const auto token : tokens) std::cout << text.add(token);
///   std::cout << text.finish();
///
/// A character whose bytes are spread over several tokens comes with the last of them. The
/// tokenizer must outlive the text.
class GrowingText {
 public:
  explicit GrowingText(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  /// What the token adds to the text, without what a later token may still change; often empty.
  std::string add(std::int32_t token);
  /// What was held back, once there are no more tokens. Throws std::logic_error for a tokenizer
  /// whose decode() changes what fewer tokens gave.
  std::string finish();

 private:
  std::string extend(const std::string& text);

  const Tokenizer& tokenizer_;
  std::vector<std::int32_t> tokens_;
  std::string given_;
};

}  // namespace fastformer::text

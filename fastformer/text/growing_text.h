#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fastformer/text/tokenizer.h"

namespace fastformer::text {

/// Decodes tokens that arrive one at a time. The pieces are final: later tokens do not change them,
/// and joined they equal decode() of all tokens.
///
///   GrowingText text(tokenizer);
///   for (const auto token : tokens) std::cout << text.add(token);
///   std::cout << text.finish();
///
/// A character whose bytes are split over several tokens is returned with the last of them. The
/// tokenizer must outlive the object.
class GrowingText {
 public:
  explicit GrowingText(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  /// The text that the token completes; often empty, because later tokens may change the rest.
  std::string add(std::int32_t token);
  /// The remaining text, after the last token. Throws std::logic_error if decode() of the tokenizer
  /// changed text that was already returned.
  std::string finish();

 private:
  std::string extend(const std::string& text);

  const Tokenizer& tokenizer_;
  std::vector<std::int32_t> tokens_;
  std::string given_;
};

}  // namespace fastformer::text

#pragma once

#include <string_view>

/// Checks of a SentencePiece model file (sentencepiece_model.proto) that are needed before the
/// library parses it.
namespace fastformer::text {

/// Whether `model` is a serialized ModelProto whose character maps (in normalizer_spec and
/// denormalizer_spec) are safe to use: the library does not check their bounds.
bool has_sound_charsmaps(std::string_view model);

/// Whether a precompiled_charsmap has the form that the library expects: the size of a trie, the
/// trie as a Darts double array of 4-byte units without links to outside, and the replacement
/// texts, each terminated by NUL. An empty map is valid.
bool is_sound_charsmap(std::string_view charsmap);

}  // namespace fastformer::text

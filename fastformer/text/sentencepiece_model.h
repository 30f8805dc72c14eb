#pragma once

#include <string_view>

/// The file of a SentencePiece model (sentencepiece_model.proto), as far as it has to be looked at
/// before the library reads it.
namespace fastformer::text {

/// Whether `model` is a serialized ModelProto whose maps of characters, those of normalizer_spec
/// and denormalizer_spec, can be walked: the library does so without looking at their bounds.
bool has_sound_charsmaps(std::string_view model);

/// Whether a precompiled_charsmap is what the library expects: the size of a trie, the units of a
/// double array (Darts) of four bytes each that lead nowhere outside, and the texts that they stand
/// for, ended by NUL. An empty map is sound.
bool is_sound_charsmap(std::string_view charsmap);

}  // namespace fastformer::text

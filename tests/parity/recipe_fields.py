"""The options of an oracle as the [model] section of a recipe names them."""

from __future__ import annotations

from oracle import Options

Fields = dict[str, object]

_MIXER_FIELDS = {
    "additive": ("logits", "interaction"),
    "softmax": ("causal",),
    "linear": ("causal",),
    "sliding_window": ("window", "global_tokens"),
    "block_sparse": (
        "window", "block_size", "global_tokens", "random_tokens", "random_seed", "global_kind",
    ),
    "low_rank": ("projection", "projection_length", "projection_sharing"),
    "pooling": ("window", "pooled_window", "pooling"),
}
_ENCODER_FIELDS = (
    "layers", "width", "heads", "ffn_width", "activation", "normalization", "residual",
    "output_projection",
)


def mixer_fields(options: Options) -> Fields:
    """The table [model.mixer]."""
    fields: Fields = {"name": options.mixer}
    fields |= {name: getattr(options, name) for name in _MIXER_FIELDS[options.mixer]}
    if options.mixer == "additive":
        fields |= {
            "share_query_value": "query_value" in options.sharing,
            "share_heads": "heads" in options.sharing,
        }
    elif options.mixer == "pooling":
        fields |= {
            "kernel": options.pooling_kernel, "stride": options.pooling_stride,
            "residual": options.pooling_residual == "sum",
        }
    return fields


def encoder_fields(options: Options) -> Fields:
    """An encoder without dropout."""
    fields: Fields = {name: getattr(options, name) for name in _ENCODER_FIELDS}
    return fields | {
        "dropout": 0.0, "share_layers": "layers" in options.sharing,
        "mixer": mixer_fields(options),
    }


def text_fields(options: Options) -> Fields:
    """An encoder with the embedding before it."""
    return encoder_fields(options) | {
        "max_positions": options.max_positions if options.positions else 0,
        "bigram_buckets": options.bigram_buckets,
        "embedding_normalization": options.normalization != "none",
        "embedding_dropout": 0.0,
    }

"""The parity cases of the six rival mixers: every switch of each, in rotating surroundings."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

from oracle import Options
from parity_case import LENGTHS, Case

_LENGTHS = (LENGTHS, (64, 65), (130,), (5, 0, 0, 33, 96), (300,))
_NO_TOKENS = (0, 0)
_WINDOWS = (0, 1, 2, 7, 16, 64)
_SINGLE_PRECISION = 0.25  # the share of such cases

Fields = dict[str, object]


def _fields(**values: tuple[object, ...]) -> Iterator[Fields]:
    """Every combination of the fields' values."""
    for combination in itertools.product(*values.values()):
        yield dict(zip(values, combination))


def _softmax() -> Iterator[Fields]:
    shapes = ((32, 4), (12, 3), (7, 1), (20, 20))
    for fields in _fields(shape=shapes, causal=(False, True), layers=(1, 2)):
        width, heads = fields.pop("shape")
        yield fields | {"width": width, "heads": heads}


def _linear() -> Iterator[Fields]:
    # With one column a head, a query divides out of its own row but for the 1e-6: all of its
    # gradient is what cancellation leaves, and says nothing.
    for fields in _softmax():
        yield fields if fields["heads"] < fields["width"] else fields | {"heads": 10}


def _sliding_window() -> Iterator[Fields]:
    yield from _fields(window=_WINDOWS, global_tokens=(0, 1, 8, 20))
    yield from _fields(window=(3, 512), global_tokens=(2, 400))


def _block_sparse() -> Iterator[Fields]:
    kinds = ("internal", "external")
    for fields in _fields(block_size=(1, 3, 16), global_tokens=(0, 1, 8, 20),
                          random_tokens=(0, 3, 20), global_kind=kinds):
        if fields["global_kind"] == "internal" or fields["global_tokens"]:
            yield fields
    # 14 / 4 rounds up to four blocks; 400 random tokens are more than there are.
    yield from _fields(block_size=(4,), window=(14, 28), random_tokens=(0, 400))


def _low_rank() -> Iterator[Fields]:
    kinds = ("none", "heads", "key_value", "layers")
    yield from _fields(projection=(1, 3, 16, 70), projection_sharing=kinds)
    yield from _fields(layers=(3,), sharing=((), ("layers",)), projection_sharing=kinds)


def _pooling() -> Iterator[Fields]:
    shapes = ((1, 1), (1, 3), (2, 4), (5, 4), (4, 4), (5, 1), (7, 2), (3, 5))
    kinds, residuals = ("mean", "max", "dynamic"), ("sum", "none")
    for fields in _fields(shape=shapes, pooling=kinds, pooling_residual=residuals):
        kernel, stride = fields.pop("shape")
        yield fields | {"pooling_kernel": kernel, "pooling_stride": stride}


_FIELDS = {
    "softmax": _softmax,
    "sliding_window": _sliding_window,
    "block_sparse": _block_sparse,
    "low_rank": _low_rank,
    "linear": _linear,
    "pooling": _pooling,
}


def _drawn_fields(draw: random.Random, longest: int) -> Fields:
    """What surrounds a mixer, and those of the mixers' fields that have too many combinations."""
    width, heads = draw.choice(((32, 4), (32, 4), (12, 3)))
    return {
        "width": width,
        "heads": heads,
        "layers": draw.choice((1, 2)),
        "sharing": draw.choice(((), (), ("layers",), ("query_value", "heads"))),
        "normalization": draw.choice(("post", "post", "pre", "none")),
        "ffn_width": draw.choice((0, 16)),
        "residual": draw.random() < 0.7,
        "output_projection": draw.random() < 0.7,
        "positions": draw.random() < 0.8,
        "max_positions": max(longest, 1),
        "window": draw.choice(_WINDOWS),
        "pooled_window": draw.choice((*_WINDOWS, 256)),
        "random_seed": draw.choice((0, 1, 2**40)),
        "projection_length": max(longest, 1) + draw.choice((0, 7)),
    }


def _case(mixer: str, i: int, fields: Fields, lengths: tuple[int, ...] | None = None) -> Case:
    """Case i of a mixer; what is left open is drawn, equally every time."""
    draw = random.Random(f"{mixer} {i}")
    lengths = lengths or draw.choice(_LENGTHS)
    return Case(
        Options(mixer=mixer, **(_drawn_fields(draw, max(lengths)) | fields)),
        dtype="F32" if draw.random() < _SINGLE_PRECISION else "F64",
        label_smoothing=draw.choice((0.0, 0.1)),
        lengths=lengths,
    )


def rival_cases(mixer: str) -> list[Case]:
    """All cases of a mixer other than "additive" in the order of their numbers."""
    result = [_case(mixer, i, fields) for i, fields in enumerate(_FIELDS[mixer]())]
    return [*result, _case(mixer, len(result), {}, _NO_TOKENS)]

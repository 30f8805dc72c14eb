"""The mistakes that rival mixers invite, each shown to be visible in the parity cases."""

from __future__ import annotations

import functools
import pathlib
import sys
from collections.abc import Callable

import pytest
import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import make_cases  # noqa: E402
import mixer_oracle  # noqa: E402
import rival_mistakes as wrong  # noqa: E402
from mistakes import VISIBLE, Variant, anywhere, difference  # noqa: E402
from oracle import MIXERS, Options  # noqa: E402

torch.set_num_threads(1)


def _mistake(
    kind: str, mistake: type[mixer_oracle.Mixer], shows: Callable[[Options], bool] = anywhere
) -> tuple[str, Variant]:
    """A mixer and a mistake in it; one that any mixer may make is laid over that mixer."""
    right = mixer_oracle.TYPES[kind]
    built = mistake if issubclass(mistake, right) else type(mistake.__name__, (mistake, right), {})
    build = functools.partial(mixer_oracle.build, attention_type=built)
    return kind, Variant(mistake.__name__, build, shows)


def _causal(options: Options) -> bool:
    return options.causal


def _global(options: Options) -> bool:
    return options.global_tokens > 0


def _internal(options: Options) -> bool:
    return options.global_kind == "internal" and options.global_tokens > 0


def _external(options: Options) -> bool:
    return options.global_kind == "external"


def _random(options: Options) -> bool:
    return options.random_tokens > 0


def _seeded(options: Options) -> bool:
    return _random(options) and options.random_seed != 0


def _own_layers(options: Options) -> bool:
    return _random(options) and options.layers > 1 and "layers" not in options.sharing


def _two_projections(options: Options) -> bool:
    return options.projection_sharing in ("none", "heads")


def _pools_by(pooling: str) -> Callable[[Options], bool]:
    return lambda options: options.pooling == pooling and options.pooling_kernel > 1


def mistakes() -> list[tuple[str, Variant]]:
    """Every mistake, with the mixer whose cases have to show it."""
    softmaxes = [kind for kind in MIXERS if kind not in ("additive", "linear")]
    return [
        *(_mistake(kind, wrong.Unscaled) for kind in softmaxes),
        *(_mistake(kind, wrong.ScaledByWidth, lambda o: o.heads > 1) for kind in softmaxes),
        *(_mistake(kind, wrong.SoftmaxOverQueries) for kind in softmaxes),
        _mistake("softmax", wrong.SoftmaxOverHeads, lambda o: not o.causal),
        _mistake("low_rank", wrong.SoftmaxOverHeads),
        _mistake("softmax", wrong.SeesTheFuture, _causal),
        _mistake("softmax", wrong.SeesTheFutureOnly, _causal),
        _mistake("sliding_window", wrong.WindowTooWide),
        _mistake("sliding_window", wrong.WindowTooNarrow, lambda o: o.window > 1),
        _mistake("sliding_window", wrong.WindowOnEachSide, lambda o: o.window > 0),
        _mistake("sliding_window", wrong.GlobalKeysUnseen, _global),
        _mistake("sliding_window", wrong.GlobalKeysTwice, _global),
        _mistake("sliding_window", wrong.GlobalRowsAreLocal, _global),
        _mistake("sliding_window", wrong.GlobalRowsByCommonProjections, _global),
        _mistake("sliding_window", wrong.GlobalRowsByOwnQueriesAlone, _global),
        _mistake("block_sparse", wrong.RandomRepeatsWindow, _random),
        _mistake("block_sparse", wrong.RandomWithReplacement, _random),
        _mistake("block_sparse", wrong.RandomEqualInHeads, _random),
        _mistake("block_sparse", wrong.RandomEqualInLayers, _own_layers),
        _mistake("block_sparse", wrong.RandomSeedIgnored, _seeded),
        _mistake("block_sparse", wrong.BlocksOfWholeWindow),
        _mistake("block_sparse", wrong.BlocksRoundedDown, lambda o: o.block_size == 4),
        _mistake("block_sparse", wrong.GlobalBlocksRoundedDown, _internal),
        _mistake("block_sparse", wrong.GlobalBlocksAsKeysOnly, _internal),
        _mistake("block_sparse", wrong.LastBlockPadded, lambda o: o.block_size > 1),
        _mistake("block_sparse", wrong.BlocksCountExternalRows, _external),
        _mistake("low_rank", wrong.LengthPadded),
        _mistake("low_rank", wrong.LastColumns),
        _mistake("low_rank", wrong.ScaledToLength),
        _mistake("low_rank", wrong.ValuesByKeyProjection, _two_projections),
        _mistake("low_rank", wrong.FirstHeadsProjection, lambda o: o.projection_sharing == "none"),
        _mistake("low_rank", wrong.ShortensTheInput, lambda o: o.projection_sharing != "none"),
        _mistake("linear", wrong.NoNormalizer),
        _mistake("linear", wrong.EluWithoutOne),
        _mistake("linear", wrong.ReluFeatures),
        _mistake("linear", wrong.ScaledFeatures),
        _mistake("linear", wrong.LinearSeesTheFuture, _causal),
        _mistake("linear", wrong.LinearWithoutItself, _causal),
        _mistake("pooling", wrong.MeanPastTheEnd, _pools_by("mean")),
        _mistake("pooling", wrong.MaximumPastTheEnd, _pools_by("max")),
        _mistake("pooling", wrong.DynamicPastTheEnd, _pools_by("dynamic")),
        _mistake("pooling", wrong.DynamicOfTheFirst, _pools_by("dynamic")),
        _mistake("pooling", wrong.WholeKernelsOnly),
        _mistake("pooling", wrong.FirstLevelTooWide),
        _mistake("pooling", wrong.PooledWindowTooWide),
        _mistake("pooling", wrong.PooledWindowInRows),
        _mistake("pooling", wrong.PooledWindowFromTheMiddle),
        _mistake("pooling", wrong.NearestOnEitherSide),
        _mistake("pooling", wrong.SecondLevelOfInput),
        _mistake("pooling", wrong.NoPoolingResidual, lambda o: o.pooling_residual == "sum"),
    ]


_MISTAKES = mistakes()


@pytest.mark.parametrize(
    ("kind", "variant"), _MISTAKES, ids=[f"{kind}-{variant.name}" for kind, variant in _MISTAKES]
)
def test_mistake_shows_in_a_case(kind: str, variant: Variant) -> None:
    cases = [
        (seed, case)
        for seed, case in enumerate(make_cases.cases(kind))
        if case.dtype == "F64" and any(case.lengths) and variant.shows(case.options)
    ]
    assert cases, f"no parity case of {kind} can show {variant.name}"
    assert any(difference(case, seed, variant) > VISIBLE for seed, case in cases)

"""The mistakes that a summarizer invites, each shown to be visible in its parity cases.

Every mistaken variant must move the loss or a log-probability of some case by more than 1e-3.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import pathlib
import sys
from collections.abc import Callable, Iterator, Sequence

import pytest
import torch
from torch import Tensor

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import make_summarizer_cases as cases  # noqa: E402
import summarizer_oracle as oracle  # noqa: E402
from mistakes import VISIBLE  # noqa: E402

torch.set_num_threads(1)


class _SeeingAttention(oracle.Attention):
    def forward(self, x: Tensor, rows: Tensor, causal: bool) -> Tensor:
        del causal
        return super().forward(x, rows, causal=False)


class _NarrowAttention(oracle.Attention):
    def forward(self, x: Tensor, rows: Tensor, causal: bool) -> Tensor:
        return super().forward(x, rows[:-1] if not causal and len(rows) > 1 else rows, causal)


class _AttentionMistake(oracle.Summarizer):
    """Another attention in the place of the decoder's."""

    attention = oracle.Attention

    def __init__(self, options: oracle.SummaryOptions) -> None:
        super().__init__(options)
        for layer in self.decoder.layers:
            layer.self_attention.__class__ = self.attention
            layer.cross_attention.__class__ = self.attention


class SeesTheFuture(_AttentionMistake):
    """The decoder is not causal."""

    attention = _SeeingAttention


class MissesTheLastRow(_AttentionMistake):
    """The last row of a document is not attended to."""

    attention = _NarrowAttention


class CopyMistake(oracle.Summarizer):
    """Another pointer in the place of the right one."""

    pointer = oracle.Copy

    def __init__(self, options: oracle.SummaryOptions) -> None:
        super().__init__(options)
        if self.copy is not None:
            self.copy.__class__ = self.pointer


@contextlib.contextmanager
def _scaled(layer: torch.nn.Linear, factor: float) -> Iterator[None]:
    """While this lasts, the layer's outputs are `factor` times as large."""
    weight, bias = layer.weight.data, layer.bias.data
    layer.weight.data, layer.bias.data = factor * weight, factor * bias
    try:
        yield
    finally:
        layer.weight.data, layer.bias.data = weight, bias


class _SwappedGate(oracle.Copy):
    def forward(
        self, generated: Tensor, y: Tensor, x: Tensor, memory: Tensor, document: Sequence[int]
    ) -> Tensor:
        with _scaled(self.gate, -1.0):
            return super().forward(generated, y, x, memory, document)


class _LastPlace(oracle.Copy):
    def forward(
        self, generated: Tensor, y: Tensor, x: Tensor, memory: Tensor, document: Sequence[int]
    ) -> Tensor:
        if len(document) == 0:
            return generated
        places = [j for j, token in enumerate(document) if token not in document[j + 1 :]]
        return super().forward(generated, y, x, memory[places], [document[j] for j in places])


class _UnscaledCopy(oracle.Copy):
    def forward(
        self, generated: Tensor, y: Tensor, x: Tensor, memory: Tensor, document: Sequence[int]
    ) -> Tensor:
        with _scaled(self.query, math.sqrt(y.shape[0])):
            return super().forward(generated, y, x, memory, document)


class _GateWithoutInput(oracle.Copy):
    def forward(
        self, generated: Tensor, y: Tensor, x: Tensor, memory: Tensor, document: Sequence[int]
    ) -> Tensor:
        return super().forward(generated, y, torch.zeros_like(x), memory, document)


class _NextRow(oracle.Copy):
    def forward(
        self, generated: Tensor, y: Tensor, x: Tensor, memory: Tensor, document: Sequence[int]
    ) -> Tensor:
        backwards = memory.flip(0), list(reversed(document))
        return super().forward(generated, y, x, *backwards)


class SwapsTheGate(CopyMistake):
    """g is the share of copying."""

    pointer = _SwappedGate


class CountsTheLastPlaceOnly(CopyMistake):
    """A token that stands in several places is copied from its last."""

    pointer = _LastPlace


class CopiesWithUnscaledLogits(CopyMistake):
    """No 1 / sqrt(d) in the pointer."""

    pointer = _UnscaledCopy


class KeysSeeTheNextRow(CopyMistake):
    """The keys of the pointer see the row behind instead of the row before."""

    pointer = _NextRow


class GatesWithoutTheInput(CopyMistake):
    """The gate does not see the input of the decoder."""

    pointer = _GateWithoutInput


class SmoothsWithoutTheTarget(oracle.Summarizer):
    """The smoothed share goes to all tokens but the target."""

    def loss(
        self,
        documents: Sequence[Sequence[int]],
        summaries: Sequence[Sequence[int]],
        label_smoothing: float,
    ) -> Tensor:
        size = self.options.source.vocabulary_size
        return super().loss(documents, summaries, label_smoothing * size / (size - 1))


class MeansOverSummaries(oracle.Summarizer):
    """The mean over summaries of the means over their rows."""

    def loss(
        self,
        documents: Sequence[Sequence[int]],
        summaries: Sequence[Sequence[int]],
        label_smoothing: float,
    ) -> Tensor:
        pairs = zip(documents, summaries)
        means = [super(MeansOverSummaries, self).loss([a], [b], label_smoothing) for a, b in pairs]
        return torch.stack(means).mean()


class StartsWithTheEnd(oracle.Summarizer):
    """The token that ends a text stands before its first, too."""

    def __init__(self, options: oracle.SummaryOptions) -> None:
        super().__init__(dataclasses.replace(options, begin=options.end))


_COPIES = (
    SwapsTheGate, CountsTheLastPlaceOnly, CopiesWithUnscaledLogits, KeysSeeTheNextRow,
    GatesWithoutTheInput,
)
_MISTAKES = (
    SeesTheFuture, MissesTheLastRow, *_COPIES, SmoothsWithoutTheTarget, MeansOverSummaries,
    StartsWithTheEnd,
)


def _difference(case: cases.Case, seed: int, mistake: type[oracle.Summarizer]) -> float:
    documents, summaries = cases.make_texts(case, seed)
    right, wrong = cases.make_model(case, seed), cases.make_model(case, seed, mistake)
    with torch.no_grad():
        values = [
            model.loss(documents, summaries, case.label_smoothing) for model in (right, wrong)
        ]
        changes = [(values[0] - values[1]).abs().item()]
        for document, summary in zip(documents, summaries):
            rows = [model.distributions(document, summary).log() for model in (right, wrong)]
            changes.append((rows[0] - rows[1]).abs().max().item())
    return max(changes)


def _shows(mistake: type[oracle.Summarizer]) -> Callable[[cases.Case], bool]:
    if mistake in _COPIES:
        return lambda case: case.options.copy
    if mistake is SmoothsWithoutTheTarget:
        return lambda case: case.label_smoothing > 0
    return lambda case: True


@pytest.mark.parametrize("mistake", _MISTAKES, ids=lambda mistake: mistake.__name__)
def test_a_mistake_shows(mistake: type[oracle.Summarizer]) -> None:
    shows = _shows(mistake)
    seeds = [seed for seed, case in enumerate(cases.cases()) if shows(case)][:4]
    assert max(_difference(cases.cases()[seed], seed, mistake) for seed in seeds) > VISIBLE

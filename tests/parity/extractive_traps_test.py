"""The mistakes that an extractive summarizer invites, each shown to be visible in its parity cases.

Every mistaken variant must move the loss or a logit of some case by more than 1e-3.
"""

from __future__ import annotations

import collections
import itertools
import pathlib
import sys
from collections.abc import Callable, Mapping, Sequence

import pytest
import torch
from torch import Tensor, nn

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import extractive_oracle as oracle  # noqa: E402
import make_extractive_cases as cases  # noqa: E402
from mistakes import VISIBLE  # noqa: E402

torch.set_num_threads(1)


class CountsOverTheBatch(oracle.Extractor):
    """Repetitions are counted in all documents of the batch together."""

    def forward(self, documents: Sequence[oracle.Document]) -> list[Tensor]:
        self.of_batch = collections.Counter(itertools.chain(*(d.tokens() for d in documents)))
        return super().forward(documents)

    def counts(self, document: oracle.Document) -> Mapping[int, int]:
        return self.of_batch


class CountsOneTooMany(oracle.Extractor):
    """The row is that of one more than the count."""

    def repetition_row(self, count: int) -> int:
        return super().repetition_row(count + 1)


class CountsSoFar(oracle.Extractor):
    """A token's repetitions are those up to the token."""

    def repetitions(self, document: oracle.Document) -> Tensor:
        tokens = document.tokens()
        counts = [tokens[: i + 1].count(token) for i, token in enumerate(tokens)]
        return self.repetition.weight[[self.repetition_row(count) for count in counts]]


class HasFewerRepetitions(oracle.Extractor):
    """The last row of the repetitions is not used."""

    def repetition_row(self, count: int) -> int:
        return min(super().repetition_row(count), 8)


class NormalizesRepetitions(oracle.Extractor):
    """Repetitions are added before the normalization of the embedding."""

    def embed(self, document: oracle.Document) -> Tensor:
        normalization, self.embedding.normalization = self.embedding.normalization, None
        try:
            return normalization(super().embed(document))
        finally:
            self.embedding.normalization = normalization


class EmbedsEverySentence(oracle.Extractor):
    """Positions and bigrams begin anew in every sentence."""

    def embed(self, document: oracle.Document) -> Tensor:
        rows = [self.embedding(sentence) for sentence in document.sentences]
        return torch.cat(rows) + self.repetitions(document)


class EncodesEverySentence(oracle.Extractor):
    """The tokens of a sentence see that sentence alone."""

    def encode(self, document: oracle.Document) -> Tensor:
        x = self.embed(document)
        return torch.cat([self.encoder(x[first:end]) for first, end in document.ranges()])


class PoolsTheDocument(oracle.Extractor):
    """Every sentence gets the pooled tokens of its document."""

    def rows_to_pool(self, h: Tensor, first: int, end: int) -> Tensor:
        return h


class PoolsTheMean(oracle.Extractor):
    """The mean of a sentence's tokens in the place of attention pooling."""

    def rows_to_pool(self, h: Tensor, first: int, end: int) -> Tensor:
        return h[first:end].mean(0, keepdim=True)


class MissesTheLastToken(oracle.Extractor):
    """The last token of a sentence is not pooled."""

    def rows_to_pool(self, h: Tensor, first: int, end: int) -> Tensor:
        return h[first : max(first + 1, end - 1)]


class SentencesMistake(oracle.Extractor):
    """Other rows for sentences in the place of the right ones."""

    sentences = oracle.Sentences

    def __init__(self, options: oracle.ExtractiveOptions) -> None:
        super().__init__(options)
        self.sentence.__class__ = self.sentences


class _EndOffByOne(oracle.Sentences):
    def end_row(self, k: int, n: int) -> int:
        return oracle.place(n - k)


class _StartFromOne(oracle.Sentences):
    def start_row(self, k: int, n: int) -> int:
        return oracle.place(k + 1)


class _SwappedEnds(oracle.Sentences):
    def start_row(self, k: int, n: int) -> int:
        return super().end_row(k, n)

    def end_row(self, k: int, n: int) -> int:
        return super().start_row(k, n)


class _ExactPlaces(oracle.Sentences):
    def start_row(self, k: int, n: int) -> int:
        return min(k, 31)

    def end_row(self, k: int, n: int) -> int:
        return min(n - 1 - k, 31)


class _CoarsePlaces(oracle.Sentences):
    def start_row(self, k: int, n: int) -> int:
        return k if k < 16 else 12 + oracle.floor_log2(k)


class _FewerPlaces(oracle.Sentences):
    def start_row(self, k: int, n: int) -> int:
        return min(super().start_row(k, n), 30)


class _TenthsToTheLast(oracle.Sentences):
    def tenth_row(self, k: int, n: int) -> int:
        return min(10 * k // max(n - 1, 1), 9)


class _TenthsAtTheEnd(oracle.Sentences):
    def tenth_row(self, k: int, n: int) -> int:
        return min(10 * (k + 1) // n, 9)


class _LengthBeforeTheLast(oracle.Sentences):
    def length_row(self, m: int) -> int:
        return super().length_row(max(m - 1, 1))


class _CoarseLength(oracle.Sentences):
    def length_row(self, m: int) -> int:
        return oracle.floor_log2(m)


class _FewerLengths(oracle.Sentences):
    def length_row(self, m: int) -> int:
        return min(super().length_row(m), 18)


class _OneKind(oracle.Sentences):
    def kind_row(self, kind: int) -> int:
        return 0


class CountsFromTheEndOffByOne(SentencesMistake):
    """The last sentence is one place from the end."""

    sentences = _EndOffByOne


class CountsPlacesFromOne(SentencesMistake):
    """The first sentence has place 1."""

    sentences = _StartFromOne


class SwapsStartAndEnd(SentencesMistake):
    """Places from the start and from the end are confused."""

    sentences = _SwappedEnds


class HasExactPlacesOnly(SentencesMistake):
    """Every place up to 31 has its own row."""

    sentences = _ExactPlaces


class HasOneRowForADoubling(SentencesMistake):
    """Places from 16 on have one row for each doubling instead of two."""

    sentences = _CoarsePlaces


class HasFewerPlaces(SentencesMistake):
    """The last row of the places is not used."""

    sentences = _FewerPlaces


class TakesTenthsToTheLast(SentencesMistake):
    """The last sentence is at ten tenths: k / (n - 1)."""

    sentences = _TenthsToTheLast


class TakesTenthsAtTheEnd(SentencesMistake):
    """The tenth is that of the end of the sentence: (k + 1) / n."""

    sentences = _TenthsAtTheEnd


class MeasuresBeforeTheLastToken(SentencesMistake):
    """The last token of a sentence does not count for its length."""

    sentences = _LengthBeforeTheLast


class MeasuresInDoublings(SentencesMistake):
    """The length has one row for each doubling instead of two."""

    sentences = _CoarseLength


class HasFewerLengths(SentencesMistake):
    """The last row of the lengths is not used."""

    sentences = _FewerLengths


class IgnoresKinds(SentencesMistake):
    """Everything is a sentence."""

    sentences = _OneKind


class SentencesSeeTheBatch(oracle.Extractor):
    """The encoder of sentences runs over all documents as if they were one."""

    def forward(self, documents: Sequence[oracle.Document]) -> list[Tensor]:
        rows = [self.sentence_rows(document) for document in documents]
        return list(self.score(torch.cat(rows)).split([len(v) for v in rows]))


class LeavesSentencesUnnormalized(oracle.Extractor):
    """The encoder of sentences gets v itself."""

    def score(self, v: Tensor) -> Tensor:
        return self.output(self.sentence_encoder(v))


class LeavesTheOutputUnnormalized(oracle.Extractor):
    """The output layer gets g itself."""

    def score(self, v: Tensor) -> Tensor:
        g = self.sentence_encoder(self.sentence.normalization(v))
        return nn.Linear.forward(self.output, g)[:, 0]


class NormalizesGainsByTheBatch(oracle.Extractor):
    """Gains are divided by the largest of the batch."""

    def loss(self, documents: Sequence[oracle.Document], soft_targets: float) -> Tensor:
        self.of_batch = max(itertools.chain(*(document.gain for document in documents)))
        return super().loss(documents, soft_targets)

    def largest_gain(self, document: oracle.Document) -> float:
        return self.of_batch


class LeavesGainsUnnormalized(oracle.Extractor):
    """Gains are targets as they are."""

    def largest_gain(self, document: oracle.Document) -> float:
        return 1.0


class FallsBackToTheOracle(oracle.Extractor):
    """A document without any gain has hard targets."""

    def targets(self, document: oracle.Document, soft_targets: float) -> list[float]:
        return super().targets(document, soft_targets if max(document.gain, default=0) > 0 else 0.0)


class SwapsSoftAndHard(oracle.Extractor):
    """The share of the soft targets is that of the hard ones."""

    def loss(self, documents: Sequence[oracle.Document], soft_targets: float) -> Tensor:
        return super().loss(documents, 1 - soft_targets)


class MeansOverDocuments(oracle.Extractor):
    """The mean over documents of the means over their sentences."""

    def loss(self, documents: Sequence[oracle.Document], soft_targets: float) -> Tensor:
        filled = [document for document in documents if document.sentences]
        means = [super(MeansOverDocuments, self).loss([one], soft_targets) for one in filled]
        return torch.stack(means).mean()


_MISTAKES = (
    CountsOverTheBatch, CountsOneTooMany, CountsSoFar, HasFewerRepetitions,
    NormalizesRepetitions, EmbedsEverySentence, EncodesEverySentence, PoolsTheDocument,
    PoolsTheMean, MissesTheLastToken, CountsFromTheEndOffByOne, CountsPlacesFromOne,
    SwapsStartAndEnd, HasExactPlacesOnly, HasOneRowForADoubling, HasFewerPlaces,
    TakesTenthsToTheLast, TakesTenthsAtTheEnd, MeasuresBeforeTheLastToken, MeasuresInDoublings,
    HasFewerLengths, IgnoresKinds, SentencesSeeTheBatch, LeavesSentencesUnnormalized,
    LeavesTheOutputUnnormalized, NormalizesGainsByTheBatch, LeavesGainsUnnormalized,
    FallsBackToTheOracle, SwapsSoftAndHard, MeansOverDocuments,
)
_FEWER_ROWS = (HasFewerRepetitions, HasFewerPlaces, HasFewerLengths)
_PLACES = (HasExactPlacesOnly, HasOneRowForADoubling)
_GAINS = (NormalizesGainsByTheBatch, LeavesGainsUnnormalized)


def _difference(case: cases.Case, seed: int, mistake: type[oracle.Extractor]) -> float:
    documents = cases.make_documents(case, seed)
    right, wrong = cases.make_model(case, seed), cases.make_model(case, seed, mistake)
    with torch.no_grad():
        values = [model.loss(documents, case.soft_targets) for model in (right, wrong)]
        logits = [torch.cat(model(documents)) for model in (right, wrong)]
    change = (logits[0] - logits[1]).abs().max().item()
    return max(change, (values[0] - values[1]).abs().item())


def _shows(mistake: type[oracle.Extractor]) -> Callable[[cases.Case], bool]:
    if mistake in _FEWER_ROWS:
        return lambda case: sum(map(len, case.documents)) > 4096
    if mistake in _PLACES:
        return lambda case: 32 < max(map(len, case.documents)) <= 70
    if mistake is NormalizesRepetitions:
        return lambda case: case.options.source.normalization != "none"
    if mistake in _GAINS:
        return lambda case: case.soft_targets > 0
    if mistake is FallsBackToTheOracle:
        return lambda case: len(case.without_gain) > 0
    return lambda case: True


def _seeds(mistake: type[oracle.Extractor]) -> list[int]:
    shows = _shows(mistake)
    return [seed for seed, case in enumerate(cases.cases()) if shows(case)][:4]


@pytest.mark.parametrize("mistake", _MISTAKES, ids=lambda mistake: mistake.__name__)
def test_a_mistake_shows(mistake: type[oracle.Extractor]) -> None:
    all_cases = cases.cases()
    assert max(_difference(all_cases[s], s, mistake) for s in _seeds(mistake)) > VISIBLE


def test_the_right_model_shows_nothing() -> None:
    for seed in _seeds(oracle.Extractor):
        assert _difference(cases.cases()[seed], seed, oracle.Extractor) <= VISIBLE

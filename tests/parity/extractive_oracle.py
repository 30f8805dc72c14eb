"""The extractive summarizer in its direct form: document by document, sentence by sentence.

It scores every sentence of a document. The encoders are those of oracle.py with any mixer that
needs no name of its own, the pooling is that of oracle.py. Parameters carry the names of the C++
library.

Example:
    document = Document(sentences=((3, 1, 4), (1, 5)), kinds=(1, 0), oracle=(0, 1), gain=(0.0, 0.5))
    model = Extractor(ExtractiveOptions()).double()
    logits = model([document])[0]
    value = model.loss([document], soft_targets=0.4)
"""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from mixer_oracle import TYPES
from oracle import Embedding, Encoder, Options, Pooling

_EPSILON = 1e-12
_REPETITIONS = 10
_PLACES = 32
_EXACT_PLACES = 16
_TENTHS = 10
_LENGTHS = 20
KINDS = ("sentence", "heading", "list item", "caption")


@dataclasses.dataclass(frozen=True)
class ExtractiveOptions:
    """What an extractive summarizer is made of."""

    source: Options = Options()
    sentence_layers: int = 1


@dataclasses.dataclass(frozen=True)
class Document:
    """The token ids of each sentence, and what else is known of each sentence."""

    sentences: tuple[tuple[int, ...], ...]
    kinds: tuple[int, ...]  # indices of KINDS
    oracle: tuple[int, ...]  # 0 or 1
    gain: tuple[float, ...]  # 0 to 1

    def tokens(self) -> list[int]:
        """The token ids of the whole document."""
        return [token for sentence in self.sentences for token in sentence]

    def ranges(self) -> Iterator[tuple[int, int]]:
        """The first token of each sentence, and one past its last."""
        end = 0
        for sentence in self.sentences:
            first, end = end, end + len(sentence)
            yield first, end


def floor_log2(x: int) -> int:
    """floor(log2(x)) of an integer x > 0."""
    return x.bit_length() - 1


def floor_twice_log2(x: int) -> int:
    """floor(2 log2(x)) of an integer x > 0: 2 log2(x) is log2(x^2)."""
    return floor_log2(x * x)


def place(k: int) -> int:
    """The row of place k: its own for the first 16, then two rows for each doubling."""
    if k < _EXACT_PLACES:
        return k
    doublings = floor_twice_log2(k) - floor_twice_log2(_EXACT_PLACES)
    return min(_EXACT_PLACES + doublings, _PLACES - 1)


class Sentences(nn.Module):
    """What is added to the pooled tokens of a sentence, and the normalization of the sum."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.start = nn.Embedding(_PLACES, width)
        self.end = nn.Embedding(_PLACES, width)
        self.tenth = nn.Embedding(_TENTHS, width)
        self.length = nn.Embedding(_LENGTHS, width)
        self.kind = nn.Embedding(len(KINDS), width)
        self.normalization = nn.LayerNorm(width, eps=_EPSILON)

    def start_row(self, k: int, n: int) -> int:
        """The row of `start` for sentence k of n."""
        del n
        return place(k)

    def end_row(self, k: int, n: int) -> int:
        """The row of `end` for sentence k of n."""
        return place(n - 1 - k)

    def tenth_row(self, k: int, n: int) -> int:
        """The row of `tenth` for sentence k of n."""
        return 10 * k // n

    def length_row(self, m: int) -> int:
        """The row of `length` for m tokens."""
        return min(floor_twice_log2(m), _LENGTHS - 1)

    def kind_row(self, kind: int) -> int:
        """The row of `kind` for a kind."""
        return kind

    def forward(self, k: int, n: int, m: int, kind: int) -> Tensor:
        """[d] for sentence k of n, with m tokens."""
        return (
            self.start.weight[self.start_row(k, n)]
            + self.end.weight[self.end_row(k, n)]
            + self.tenth.weight[self.tenth_row(k, n)]
            + self.length.weight[self.length_row(m)]
            + self.kind.weight[self.kind_row(kind)]
        )


class Output(nn.Linear):
    """w . LayerNorm(g) + b."""

    def __init__(self, width: int) -> None:
        super().__init__(width, 1)
        self.normalization = nn.LayerNorm(width, eps=_EPSILON)

    def forward(self, g: Tensor) -> Tensor:
        """[n, d] to [n]."""
        return super().forward(self.normalization(g))[:, 0]


class Extractor(nn.Module):
    """Embeddings, encoder of tokens, pooling, encoder of sentences, output layer."""

    def __init__(self, options: ExtractiveOptions) -> None:
        super().__init__()
        source = options.source
        of_sentences = dataclasses.replace(source, layers=options.sentence_layers)
        self.options = options
        self.embedding = Embedding(source)
        self.repetition = nn.Embedding(_REPETITIONS, source.width)
        self.encoder = Encoder(source, TYPES[source.mixer])
        self.pooling = Pooling(source.width)
        self.sentence = Sentences(source.width)
        self.sentence_encoder = Encoder(of_sentences, TYPES[source.mixer])
        self.output = Output(source.width)

    def counts(self, document: Document) -> Mapping[int, int]:
        """How often each token id occurs."""
        return collections.Counter(document.tokens())

    def repetition_row(self, count: int) -> int:
        """The row of `repetition` for a token that occurs that often."""
        return min(floor_log2(count), _REPETITIONS - 1)

    def repetitions(self, document: Document) -> Tensor:
        """[t, d]: what is added to each token for how often it occurs."""
        counts = self.counts(document)
        rows = [self.repetition_row(counts[token]) for token in document.tokens()]
        return self.repetition.weight[rows]

    def embed(self, document: Document) -> Tensor:
        """[t, d]: the tokens of the whole document before the encoder."""
        return self.embedding(document.tokens()) + self.repetitions(document)

    def encode(self, document: Document) -> Tensor:
        """[t, d]: the tokens of the whole document after the encoder."""
        return self.encoder(self.embed(document))

    def rows_to_pool(self, h: Tensor, first: int, end: int) -> Tensor:
        """The rows of h [t, d] that stand for the sentence with tokens first..end - 1."""
        return h[first:end]

    def sentence_rows(self, document: Document) -> Tensor:
        """[n, d]: v of every sentence."""
        n = len(document.sentences)
        if n == 0:
            return self.output.weight.new_zeros((0, self.options.source.width))
        h = self.encode(document)
        rows = []
        for k, (first, end) in enumerate(document.ranges()):
            pooled = self.pooling(self.rows_to_pool(h, first, end))
            rows.append(pooled + self.sentence(k, n, end - first, document.kinds[k]))
        return torch.stack(rows)

    def score(self, v: Tensor) -> Tensor:
        """v of sentences that see one another [n, d], n > 0, to their logits [n]."""
        return self.output(self.sentence_encoder(self.sentence.normalization(v)))

    def forward(self, documents: Sequence[Document]) -> list[Tensor]:
        """The logits of the sentences of each document."""
        rows = [self.sentence_rows(document) for document in documents]
        return [self.score(v) if len(v) > 0 else v.new_zeros(0) for v in rows]

    def largest_gain(self, document: Document) -> float:
        """What the gains of a document, which has sentences, are divided by."""
        return max(document.gain)

    def targets(self, document: Document, soft_targets: float) -> list[float]:
        """The probability that each sentence should have."""
        targets = []
        for hard, gain in zip(document.oracle, document.gain):
            largest = self.largest_gain(document)
            soft = gain / largest if largest > 0 else 0.0
            targets.append((1 - soft_targets) * hard + soft_targets * soft)
        return targets

    def loss(self, documents: Sequence[Document], soft_targets: float) -> Tensor:
        """The binary cross entropy in nats, the mean over all sentences of the documents."""
        losses = []
        for document, logits in zip(documents, self(documents)):
            for z, target in zip(logits, self.targets(document, soft_targets)):
                chosen, left_out = functional.logsigmoid(z), functional.logsigmoid(-z)
                losses.append(-(target * chosen + (1 - target) * left_out))
        return torch.stack(losses).mean()


def fill_parameters(model: Extractor, seed: int) -> None:
    """Parameters large enough that a wrong term shows, small enough that no softmax saturates."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            values = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            table = name.startswith(("embedding.", "repetition.", "sentence."))
            matrix = parameter.dim() > 1 and not table
            values *= min(0.3, parameter.shape[-1] ** -0.5) if matrix else 0.3
            if name.endswith("normalization.weight"):
                values += 1.0
            parameter.copy_(values)

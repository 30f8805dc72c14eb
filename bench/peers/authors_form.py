"""The authors' PyTorch form of Fastformer, ported: the peer that the library's speed is held to.

Every document is padded to 256 tokens, the attention mask is an additive -10000, the optimizer is
a dense Adam over everything including the whole word embedding. Settings as in the authors' public
notebook: 2 layers, width 256, 16 heads, dropout 0.2, batch 64, learning rate 1e-3. One difference
on purpose: the vocabulary comes from the training text alone.

Usage: authors_form.py --train FILE... --test FILE [--epochs 2] [--threads 2] [--steps N]

Tokens a second count REAL tokens, never padding. With --steps the program stops after that many
training steps and reports the speed only.
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import math
import pathlib
import statistics
import sys
import time
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "parity"))

import oracle  # noqa: E402
from labelled_text import label_numbers, read_labelled_text, words  # noqa: E402

_PADDING_ID, _UNKNOWN_ID = 0, 1
_MASKED = -10000.0


@dataclasses.dataclass(frozen=True)
class Settings:
    """The notebook's settings."""

    vocabulary_size: int
    classes: int
    width: int = 256
    heads: int = 16
    layers: int = 2
    length: int = 256
    dropout: float = 0.2


class Attention(nn.Module):
    """The authors' FastSelfAttention and the dense layer, residual and LayerNorm that follow it."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        d, h = settings.width, settings.heads
        self.heads, self.scale = h, 1.0 / math.sqrt(d // h)
        self.query, self.key = nn.Linear(d, d), nn.Linear(d, d)
        self.query_logits, self.key_logits = nn.Linear(d, h), nn.Linear(d, h)
        self.transform, self.output = nn.Linear(d, d), nn.Linear(d, d)
        self.normalization = nn.LayerNorm(d, eps=1e-12)
        self.dropout = nn.Dropout(settings.dropout)

    def pool(self, rows: Tensor, logits: nn.Linear, mask: Tensor) -> Tensor:
        """[B, L, d] to [B, 1, d]; `mask` [B, 1, L] is added to the logits."""
        batch, length, width = rows.shape
        weights = torch.softmax(logits(rows).transpose(1, 2) * self.scale + mask, dim=-1)
        split = rows.view(batch, length, self.heads, -1).transpose(1, 2)
        return (weights.unsqueeze(2) @ split).transpose(1, 2).reshape(batch, 1, width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """[B, L, d] to [B, L, d]."""
        query, key = self.query(x), self.key(x)
        mixed = key * self.pool(query, self.query_logits, mask).expand_as(key)
        pooled = self.pool(mixed, self.key_logits, mask)
        y = self.transform(pooled * query) + query
        return self.normalization(x + self.dropout(self.output(y)))


class FeedForward(nn.Module):
    """Dense, GELU, dense, residual, LayerNorm; the inner width is the model's."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        d = settings.width
        self.input, self.output = nn.Linear(d, d), nn.Linear(d, d)
        self.normalization = nn.LayerNorm(d, eps=1e-12)
        self.dropout = nn.Dropout(settings.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """[B, L, d] to [B, L, d]."""
        y = self.output(functional.gelu(self.input(x)))
        return self.normalization(x + self.dropout(y))


class Layer(nn.Module):
    """Attention, then feed-forward."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.attention, self.feed_forward = Attention(settings), FeedForward(settings)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """[B, L, d] to [B, L, d]."""
        return self.feed_forward(self.attention(x, mask))


class AuthorsForm(nn.Module):
    """The padded classifier; its parameters are named as the oracle's are."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        d = settings.width
        self.embedding = nn.ModuleDict({
            "token": nn.Embedding(settings.vocabulary_size, d),
            "position": nn.Embedding(settings.length, d),
            "normalization": nn.LayerNorm(d, eps=1e-12),
        })
        self.dropout = nn.Dropout(settings.dropout)
        layers = nn.ModuleList(Layer(settings) for _ in range(settings.layers))
        self.encoder = nn.ModuleDict({"layers": layers})
        self.pooling = nn.ModuleDict({"projection": nn.Linear(d, d), "logits": nn.Linear(d, 1)})
        self.classifier = nn.Linear(d, settings.classes)
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Embedding)):
                nn.init.normal_(module.weight, std=0.02)
            if isinstance(module, nn.Linear):
                nn.init.zeros_(module.bias)

    def pool(self, x: Tensor, real: Tensor) -> Tensor:
        """[B, L, d] to [B, d] by a raw exponential, as the authors' pooling has it."""
        logits = self.pooling["logits"](torch.tanh(self.pooling["projection"](x)))
        weights = torch.exp(logits) * real.unsqueeze(2)
        weights = weights / (weights.sum(1, keepdim=True) + 1e-8)
        return (weights * x).sum(1)

    def forward(self, ids: Tensor) -> Tensor:
        """[B, L] padded ids to [B, classes] logits."""
        real = (ids != _PADDING_ID).to(self.classifier.weight.dtype)
        mask = ((1.0 - real) * _MASKED).unsqueeze(1)
        rows = self.embedding["token"](ids)
        rows = rows + self.embedding["position"](torch.arange(ids.shape[1])).unsqueeze(0)
        x = self.dropout(self.embedding["normalization"](rows))
        for layer in self.encoder["layers"]:
            x = layer(x, mask)
        return self.classifier(self.pool(x, real))


def check_against_oracle(form: type[AuthorsForm]) -> None:
    """Raises RuntimeError unless the port computes what the oracle does."""
    settings = Settings(vocabulary_size=50, classes=3, width=32, heads=4, length=64)
    reference = oracle.Fastformer(oracle.Options()).double()
    oracle.fill_parameters(reference, 0)
    port = form(settings).double().eval()
    port.load_state_dict(reference.state_dict())
    documents = [list(range(1, 18)), [4], list(range(1, 41))]
    with torch.no_grad():
        expected = reference(documents).logits
        actual = port(pad(documents, settings.length))
    difference = (expected - actual).abs().max().item()
    if not difference < 1e-6:
        raise RuntimeError(f"The port differs from the oracle by {difference:.3g}.")


def pad(documents: Sequence[Sequence[int]], length: int) -> Tensor:
    """[B, length] ids, each document cut or filled up to `length`."""
    ids = torch.full((len(documents), length), _PADDING_ID, dtype=torch.long)
    for row, document in zip(ids, documents):
        cut = torch.tensor(document[:length], dtype=torch.long)
        row[: len(cut)] = cut
    return ids


@dataclasses.dataclass(frozen=True)
class Split:
    """Padded ids [N, length] and labels [N]."""

    ids: Tensor
    labels: Tensor


def encode(texts: Sequence[str], vocabulary: dict[str, int], length: int) -> Tensor:
    """Padded ids of the texts."""
    documents = [[vocabulary.get(word, _UNKNOWN_ID) for word in words(text)] for text in texts]
    return pad(documents, length)


def build_vocabulary(texts: Sequence[str], min_count: int) -> dict[str, int]:
    """Ids of the words that occur at least `min_count` times, the most frequent first."""
    counts = collections.Counter(word for text in texts for word in words(text))
    kept = [word for word, count in counts.most_common() if count >= min_count]
    return {word: i for i, word in enumerate(kept, start=2)}


def batches(split: Split, size: int, generator: torch.Generator) -> Iterator[Split]:
    """Shuffled batches of one epoch."""
    for rows in torch.randperm(len(split.labels), generator=generator).split(size):
        yield Split(split.ids[rows], split.labels[rows])


def accuracy(model: AuthorsForm, split: Split, size: int) -> float:
    """The share of documents whose highest logit is their label's."""
    model.eval()
    with torch.no_grad():
        found = [model(ids).argmax(1) for ids in split.ids.split(size)]
    return (torch.cat(found) == split.labels).double().mean().item()


def train_epoch(model: AuthorsForm, optimizer: torch.optim.Optimizer, data: Iterator[Split],
                steps: int | None) -> list[float]:
    """One epoch, or its first `steps` batches; the real tokens a second of every step."""
    model.train()
    speeds = []
    for step, batch in enumerate(data):
        if steps is not None and step >= steps:
            break
        start = time.perf_counter()
        optimizer.zero_grad()
        functional.cross_entropy(model(batch.ids), batch.labels).backward()
        optimizer.step()
        seconds = time.perf_counter() - start
        speeds.append((batch.ids != _PADDING_ID).sum().item() / seconds)
    return speeds


def inference_speed(model: AuthorsForm, split: Split, size: int, steps: int) -> list[float]:
    """Real tokens a second of the first `steps` batches."""
    model.eval()
    speeds = []
    with torch.no_grad():
        for ids in split.ids.split(size)[:steps]:
            start = time.perf_counter()
            model(ids)
            seconds = time.perf_counter() - start
            speeds.append((ids != _PADDING_ID).sum().item() / seconds)
    return speeds


def report_speed(name: str, speeds: Sequence[float]) -> None:
    """Prints the median and the quartiles; the first step warms the caches and is left out."""
    measured = speeds[1:] if len(speeds) > 1 else speeds
    quartiles = statistics.quantiles(measured, n=4) if len(measured) > 1 else [measured[0]] * 3
    print(
        f"{name}: {quartiles[1]:,.0f} real tokens/s"
        f" (quartiles {quartiles[0]:,.0f} to {quartiles[2]:,.0f}, {len(measured)} steps)"
    )


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", type=pathlib.Path, nargs="+", required=True)
    parser.add_argument("--test", type=pathlib.Path, required=True)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, help="stop after N training steps; speed only")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--min-count", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def main() -> None:
    """Checks the port, trains it and prints speed and accuracy."""
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    check_against_oracle(AuthorsForm)
    train, test = read_labelled_text(arguments.train), read_labelled_text([arguments.test])
    classes = sorted(set(train.labels))
    vocabulary = build_vocabulary(train.texts, arguments.min_count)
    settings = Settings(vocabulary_size=len(vocabulary) + 2, classes=len(classes))
    train_split, test_split = (
        Split(
            encode(part.texts, vocabulary, settings.length),
            torch.tensor(label_numbers(part.labels, classes)),
        )
        for part in (train, test)
    )
    print(f"{len(train.texts)} training documents, {len(vocabulary)} words, {len(classes)} classes")
    model = AuthorsForm(settings)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    generator = torch.Generator().manual_seed(arguments.seed)
    for epoch in range(1 if arguments.steps is not None else arguments.epochs):
        data = batches(train_split, arguments.batch, generator)
        start = time.perf_counter()
        speeds = train_epoch(model, optimizer, data, arguments.steps)
        report_speed("training", speeds)
        if arguments.steps is None:
            seconds = time.perf_counter() - start
            found = accuracy(model, test_split, arguments.batch)
            print(f"epoch {epoch + 1}: accuracy {found:.4f}, {seconds:.1f} s")
    report_speed("inference", inference_speed(model, test_split, arguments.batch, 30))


if __name__ == "__main__":
    main()

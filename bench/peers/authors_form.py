"""A port of the authors' PyTorch form of Fastformer: the peer in comparisons of speed.

Every document is padded to one length, the attention mask is an additive -10000, the optimizer is
a dense Adam over everything including the whole word embedding. Settings as in the authors' public
notebook: 2 layers, width 256, 16 heads, dropout 0.2, learning rate 1e-3.
"""

from __future__ import annotations

import dataclasses
import math
import pathlib
import statistics
import sys
import time
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "parity"))

import oracle  # noqa: E402

PADDING_ID = 0
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
        real = (ids != PADDING_ID).to(self.classifier.weight.dtype)
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
    ids = torch.full((len(documents), length), PADDING_ID, dtype=torch.long)
    for row, document in zip(ids, documents):
        cut = torch.tensor(document[:length], dtype=torch.long)
        row[: len(cut)] = cut
    return ids


def inference_speed(
    model: AuthorsForm, documents: Sequence[Sequence[int]], size: int, length: int, steps: int
) -> float:
    """Documents a second of the first `steps` batches."""
    model.eval()
    ids = pad(documents[: size * (steps + 1)], length).split(size)
    with torch.no_grad():
        model(ids[0])
        start = time.perf_counter()
        for batch in ids[1:]:
            model(batch)
        return sum(map(len, ids[1:])) / (time.perf_counter() - start)


def training_speed(
    model: AuthorsForm, documents: Sequence[Sequence[int]], labels: Sequence[int], size: int,
    length: int, steps: int,
) -> float:
    """Real tokens a second of `steps` steps on batches in the order of the documents."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    model.train()
    speeds = []
    for first in range(0, size * (steps + 1), size):
        ids = pad(documents[first : first + size], length)
        start = time.perf_counter()
        optimizer.zero_grad()
        functional.cross_entropy(model(ids), torch.tensor(labels[first : first + size])).backward()
        optimizer.step()
        speeds.append((ids != PADDING_ID).sum().item() / (time.perf_counter() - start))
    return statistics.median(speeds[1:])

"""NRMS with padded histories and titles; each title is encoded as often as it occurs.

A batch holds 50 clicked titles and the candidates of each user, every title as long as the longest
allowed, in training and in evaluation. The parameters are read from our model directories, so that
both compute the same scores.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclasses.dataclass(frozen=True)
class Shape:
    """Sizes of the model and of what it is given."""

    vocabulary: int
    width: int = 256
    heads: int = 16
    query_width: int = 200
    title: int = 30
    history: int = 50


class Pooling(nn.Module):
    """sum of a_i x_i, a = softmax over i of v . tanh(W x_i + b) + c."""

    def __init__(self, width: int, query_width: int) -> None:
        super().__init__()
        self.projection = nn.Linear(width, query_width)
        self.logits = nn.Linear(query_width, 1)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """[b, n, d], [b, n] to [b, d]."""
        logits = self.logits(torch.tanh(self.projection(x)))[..., 0].masked_fill(~mask, -1e9)
        return (torch.softmax(logits, dim=1).unsqueeze(1) @ x)[:, 0]


class Attention(nn.Module):
    """Multi-head attention without what stands around it in a Transformer."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """[b, n, d], [b, n] to [b, n, d]."""
        query, key, value = (
            layer(x).unflatten(2, (self.heads, -1)).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        # A row without anything to attend to would not be a number.
        seen = mask[:, None, None, :] | ~mask.any(dim=1)[:, None, None, None]
        y = functional.scaled_dot_product_attention(query, key, value, attn_mask=seen)
        return y.transpose(1, 2).flatten(2)


class Tower(nn.Module):
    """Rows to one vector."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.attention = Attention(shape.width, shape.heads)
        self.pooling = Pooling(shape.width, shape.query_width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """[b, n, d], [b, n] to [b, d]; zero where there is no row."""
        return self.pooling(self.attention(x, mask), mask) * mask.any(dim=1, keepdim=True)


class Nrms(nn.Module):
    """Scores of candidates."""

    def __init__(self, shape: Shape, dropout: float) -> None:
        super().__init__()
        self.shape, self.dropout = shape, dropout
        self.embedding = nn.Embedding(shape.vocabulary, shape.width)
        self.news, self.user = Tower(shape), Tower(shape)

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Takes the parameters of a model directory of ours."""
        own = {"embedding.weight": tensors["embedding.token.weight"]}
        for tower in ("news", "user"):
            for name in ("query", "key", "value"):
                for part in ("weight", "bias"):
                    theirs = f"{tower}.encoder.layers.0.attention.{name}.{part}"
                    own[f"{tower}.attention.{name}.{part}"] = tensors[theirs]
            own |= {n: t for n, t in tensors.items() if n.startswith(f"{tower}.pooling.")}
        self.load_state_dict(own)

    def encode_titles(self, titles: Tensor) -> Tensor:
        """[..., title] tokens to [..., d]; token 0 is padding."""
        flat = titles.flatten(0, -2)
        x = functional.dropout(self.embedding(flat), self.dropout, self.training)
        return self.news(x, flat != 0).unflatten(0, titles.shape[:-1])

    def forward(self, history: Tensor, candidates: Tensor) -> Tensor:
        """[b, history, title] and [b, c, title] tokens to scores [b, c]."""
        user = self.user(self.encode_titles(history), (history != 0).any(dim=2))
        return (self.encode_titles(candidates) @ user.unsqueeze(2))[..., 0]


def pad(lists: Sequence[Sequence[int]], count: int, titles: Tensor) -> Tensor:
    """News numbers to tokens [b, count, title]; -1 and what is missing have none.

    `titles` [news + 1, title] has an empty title as its last row.
    """
    padded = torch.full((len(lists), count), -1, dtype=torch.long)
    for row, numbers in zip(padded, lists):
        row[: len(numbers)] = torch.tensor(list(numbers), dtype=torch.long)
    return titles[padded]

"""Fastformer in its direct form, written to be obviously right rather than quick.

The model around its additive attention serves the rival mixers of mixer_oracle.py too. Every
document is computed by itself, so there is no padding and no mask. The C++ library is
compared with this model: parameters carry the same names as the tensors of a model directory.

Source of the mechanism: Wu et al., "Fastformer: Additive Attention Can Be All You Need",
arXiv 2108.09084, section 3.1. Shapes: n tokens of one document, d width, h heads, e = d / h.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

_EPSILON = 1e-12
_PREVIOUS_FACTOR = 0x9E3779B97F4A7C15
_CURRENT_FACTOR = 0xC2B2AE3D27D4EB4F
_WORD_MASK = (1 << 64) - 1
MIXERS = (
    "additive", "softmax", "sliding_window", "block_sparse", "low_rank", "linear", "pooling",
)
_CHOICES = {
    "mixer": MIXERS,
    "logits": ("full", "per_head"),
    "interaction": ("product", "add", "concat"),
    "normalization": ("pre", "post", "none"),
    "activation": ("gelu", "relu"),
    "global_kind": ("internal", "external"),
    "projection_sharing": ("none", "heads", "key_value", "layers"),
    "pooling": ("mean", "max", "dynamic"),
    "pooling_residual": ("sum", "none"),
}
_SHARING = ("query_value", "heads", "layers")


@dataclasses.dataclass(frozen=True)
class Options:
    """What a model is made of; the names are those of a case's config.json."""

    logits: str = "full"
    sharing: tuple[str, ...] = ("query_value",)
    interaction: str = "product"
    output_projection: bool = True
    residual: bool = True
    normalization: str = "post"
    ffn_width: int = 32
    activation: str = "gelu"
    positions: bool = True
    max_positions: int = 64
    layers: int = 2
    width: int = 32
    heads: int = 4
    classes: int = 3
    vocabulary_size: int = 50
    bigram_buckets: int = 0
    mixer: str = "additive"
    causal: bool = False  # softmax, linear
    window: int = 64  # sliding_window, block_sparse, pooling
    global_tokens: int = 8  # sliding_window, block_sparse
    block_size: int = 16  # block_sparse, with the three below
    random_tokens: int = 8
    global_kind: str = "internal"
    random_seed: int = 0
    projection: int = 16  # low_rank, with the two below
    projection_length: int = 512
    projection_sharing: str = "heads"
    pooled_window: int = 256  # pooling, with all below
    pooling_kernel: int = 5
    pooling_stride: int = 4
    pooling: str = "mean"
    pooling_residual: str = "sum"

    def __post_init__(self) -> None:
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} is {getattr(self, name)!r}; expected one of {allowed}.")
        unknown = set(self.sharing) - set(_SHARING)
        if unknown:
            raise ValueError(f"sharing has {sorted(unknown)}; expected members of {_SHARING}.")
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is not a multiple of heads {self.heads}.")
        if self.causal and self.mixer not in ("softmax", "linear"):
            raise ValueError(f"{self.mixer} is never causal; expected softmax or linear.")


def bigram_bucket(previous: int, current: int, buckets: int) -> int:
    """The row of the bigram table for a pair of token ids (64-bit wrap-around, logical shift)."""
    mixed = (previous * _PREVIOUS_FACTOR + current * _CURRENT_FACTOR) & _WORD_MASK
    return (mixed >> 32) % buckets


def make_normalization(options: Options) -> nn.LayerNorm | None:
    """What every block owns where the model normalizes at all."""
    if options.normalization == "none":
        return None
    return nn.LayerNorm(options.width, eps=_EPSILON)


class Embedding(nn.Module):
    """Token + position + bigram rows, normalized where the model normalizes at all."""

    def __init__(self, options: Options) -> None:
        super().__init__()
        self.token = nn.Embedding(options.vocabulary_size, options.width)
        self.position = (
            nn.Embedding(options.max_positions, options.width) if options.positions else None
        )
        self.bigram = (
            nn.Embedding(options.bigram_buckets, options.width) if options.bigram_buckets else None
        )
        self.normalization = make_normalization(options)

    def bucket(self, previous: int, current: int) -> int:
        """The bigram row of one pair."""
        return bigram_bucket(previous, current, self.bigram.num_embeddings)

    def forward(self, ids: Sequence[int]) -> Tensor:
        """[n] ids to [n, d] rows."""
        x = self.token(torch.tensor(ids, dtype=torch.long))
        if self.position is not None:
            x = x + self.position(torch.arange(len(ids)))
        if self.bigram is not None and len(ids) > 1:
            rows = [self.bucket(a, b) for a, b in zip(ids[:-1], ids[1:])]
            added = self.bigram(torch.tensor(rows, dtype=torch.long))
            x = x + torch.cat([torch.zeros_like(x[:1]), added])
        return x if self.normalization is None else self.normalization(x)


class Attention(nn.Module):
    """Additive attention, with the projection that may follow it and its normalization."""

    def __init__(self, options: Options) -> None:
        super().__init__()
        d, h = options.width, options.heads
        self.options = options
        self.query = nn.Linear(d, d)
        self.key = nn.Linear(d, d)
        self.value = None if "query_value" in options.sharing else nn.Linear(d, d)
        logit_width = d if options.logits == "full" else d // h
        logit_rows = 1 if "heads" in options.sharing else h
        self.query_logits = nn.Linear(logit_width, logit_rows)
        self.key_logits = nn.Linear(logit_width, logit_rows)
        if options.interaction == "concat":
            self.key_interaction = nn.Linear(2 * d, d)
            self.value_interaction = nn.Linear(2 * d, d)
        self.transform = nn.Linear(d, d)
        self.output = nn.Linear(d, d) if options.output_projection else None
        self.normalization = make_normalization(options)

    def split(self, rows: Tensor) -> Tensor:
        """[n, d] to [n, h, e]."""
        return rows.view(rows.shape[0], self.options.heads, -1)

    def scale(self) -> float:
        """What logits are multiplied by: 1 / sqrt(e)."""
        return 1.0 / math.sqrt(self.options.width // self.options.heads)

    def head_logits(self, rows: Tensor, vectors: nn.Linear) -> Tensor:
        """[n, d] to [n, h]: one logit for each token and head."""
        if self.options.logits == "full":
            logits = rows @ vectors.weight.T + vectors.bias
        else:
            logits = (self.split(rows) * vectors.weight).sum(-1) + vectors.bias
        return (logits * self.scale()).expand(-1, self.options.heads)

    def token_weights(self, logits: Tensor) -> Tensor:
        """[n, h] logits to weights that sum to one over the tokens."""
        return torch.softmax(logits, dim=0)

    def pool(self, rows: Tensor, logits: Tensor) -> Tensor:
        """[n, d] to [d]: head by head, the weighted sum over the tokens."""
        return (self.token_weights(logits)[:, :, None] * self.split(rows)).sum(0).reshape(-1)

    def combine(self, vector: Tensor, rows: Tensor, layer: str) -> Tensor:
        """The interaction of a global vector [d] with every row of [n, d]."""
        if self.options.interaction == "product":
            return vector * rows
        if self.options.interaction == "add":
            return vector + rows
        return getattr(self, layer)(torch.cat([vector.expand_as(rows), rows], dim=1))

    def global_key(self, key: Tensor, mixed: Tensor) -> Tensor:
        """Pools `mixed` (the key after its interaction with the global query), never `key`."""
        del key
        return self.pool(mixed, self.head_logits(mixed, self.key_logits))

    def values(self, query: Tensor, key: Tensor, x: Tensor) -> Tensor:
        """V [n, d]: the query itself where they are shared."""
        del key
        return query if self.value is None else self.value(x)

    def finish(self, transformed: Tensor, query: Tensor) -> Tensor:
        """Y = R + Q."""
        return transformed + query

    def forward(self, x: Tensor) -> Tensor:
        """[n, d] to [n, d], without the residual and normalization around it."""
        query, key = self.query(x), self.key(x)
        global_query = self.pool(query, self.head_logits(query, self.query_logits))
        mixed = self.combine(global_query, key, "key_interaction")
        global_key = self.global_key(key, mixed)
        value = self.values(query, key, x)
        transformed = self.transform(self.combine(global_key, value, "value_interaction"))
        y = self.finish(transformed, query)
        return y if self.output is None else self.output(y)


AttentionType = Callable[[Options], nn.Module]
"""Makes an attention from options; like Attention it owns its `normalization`."""


class FeedForward(nn.Module):
    """output(activation(input(x))) with its normalization."""

    def __init__(self, options: Options) -> None:
        super().__init__()
        self.activation = functional.gelu if options.activation == "gelu" else functional.relu
        self.input = nn.Linear(options.width, options.ffn_width)
        self.output = nn.Linear(options.ffn_width, options.width)
        self.normalization = make_normalization(options)

    def forward(self, x: Tensor) -> Tensor:
        """[n, d] to [n, d]."""
        return self.output(self.activation(self.input(x)))


class Layer(nn.Module):
    """An attention block, then a feed-forward block where the options ask for one."""

    def __init__(self, options: Options, attention_type: AttentionType) -> None:
        super().__init__()
        self.options = options
        self.attention = attention_type(options)
        self.feed_forward = FeedForward(options) if options.ffn_width else None

    def block(self, x: Tensor, inner: nn.Module) -> Tensor:
        """`inner` with the residual and normalization that the options ask for."""
        normalization = self.options.normalization
        y = inner(inner.normalization(x) if normalization == "pre" else x)
        if self.options.residual:
            y = x + y
        return inner.normalization(y) if normalization == "post" else y

    def forward(self, x: Tensor) -> Tensor:
        """[n, d] to [n, d]."""
        x = self.block(x, self.attention)
        return x if self.feed_forward is None else self.block(x, self.feed_forward)


class Encoder(nn.Module):
    """The layers, one set of parameters applied repeatedly where layers are shared."""

    def __init__(self, options: Options, attention_type: AttentionType) -> None:
        super().__init__()
        stored = 1 if "layers" in options.sharing else options.layers
        self.count = options.layers
        self.layers = nn.ModuleList(Layer(options, attention_type) for _ in range(stored))
        final = options.normalization == "pre"
        self.normalization = nn.LayerNorm(options.width, eps=_EPSILON) if final else None

    def forward(self, x: Tensor) -> Tensor:
        """[n, d] to [n, d]."""
        for i in range(self.count):
            x = self.layers[i % len(self.layers)](x)
        return x if self.normalization is None else self.normalization(x)


class Pooling(nn.Module):
    """Additive-attention pooling: softmax over tokens of w2 . tanh(W1 x + b1) + b2."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.projection = nn.Linear(width, width)
        self.logits = nn.Linear(width, 1)

    def token_weights(self, logits: Tensor) -> Tensor:
        """[n, 1] logits to weights that sum to one over the tokens."""
        return torch.softmax(logits, dim=0)

    def forward(self, x: Tensor) -> Tensor:
        """[n, d] to [d]; zero where there is no token."""
        if x.shape[0] == 0:
            return x.new_zeros(x.shape[1])
        return (self.token_weights(self.logits(torch.tanh(self.projection(x)))) * x).sum(0)


@dataclasses.dataclass(frozen=True)
class Result:
    """`logits` [B, classes] and the rows of all documents after the encoder, `encoder` [T, d]."""

    logits: Tensor
    encoder: Tensor


class Fastformer(nn.Module):
    """The classifier: embedding, encoder, pooling, linear.

    Example:
        model = Fastformer(Options(width=32, heads=4)).double()
        result = model([[3, 1, 4], [], [1]])       # result.logits [3, classes]
        value = loss(result.logits, torch.tensor([0, 2, 1]), label_smoothing=0.1)
    """

    def __init__(self, options: Options, attention_type: AttentionType = Attention) -> None:
        super().__init__()
        self.options = options
        self.embedding = Embedding(options)
        self.encoder = Encoder(options, attention_type)
        self.pooling = Pooling(options.width)
        self.classifier = nn.Linear(options.width, options.classes)

    def encode(self, ids: Sequence[int]) -> Tensor:
        """One document: [n] ids to [n, d] rows."""
        if len(ids) == 0:
            return self.classifier.weight.new_zeros((0, self.options.width))
        return self.encoder(self.embedding(ids))

    def forward(self, documents: Sequence[Sequence[int]]) -> Result:
        """Documents as lists of token ids."""
        rows = [self.encode(ids) for ids in documents]
        pooled = torch.stack([self.pooling(x) for x in rows])
        return Result(logits=self.classifier(pooled), encoder=torch.cat(rows))


def loss(logits: Tensor, labels: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """Cross entropy, the mean over the documents."""
    return functional.cross_entropy(logits, labels, label_smoothing=label_smoothing)


def fill_parameters(model: Fastformer, seed: int) -> None:
    """Parameters large enough that a wrong term shows: normal 0.3, normalization weights about 1.

    A model that normalizes nothing gets matrices of about unit gain: at 0.3 its rows grow with
    every layer until all softmaxes saturate and their gradients say nothing. So do the rivals of
    additive attention whatever is normalized: their logits are products of two projections.
    """
    generator = torch.Generator().manual_seed(seed)
    bounded = model.options.normalization == "none" or model.options.mixer != "additive"
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            values = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            matrix = bounded and parameter.dim() > 1 and not name.startswith("embedding.")
            values *= min(0.3, parameter.shape[-1] ** -0.5) if matrix else 0.3
            if name.endswith("normalization.weight"):
                values += 1.0
            parameter.copy_(values)

"""The six rivals of additive attention in their direct forms, as attentions of oracle.Fastformer.

Every mixer forms its weights in full, with a boolean mask of what sees what. Sources: the paper
named at each class. Shapes: n tokens of one document, d width, h heads, e = d / h.

Example:
    model = build(Options(mixer="sliding_window", window=16, global_tokens=1)).double()
    result = model([[3, 1, 4], [], [1]])
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from oracle import Attention, AttentionType, Encoder, Fastformer, Options, make_normalization

_WORD_MASK = (1 << 64) - 1
_BLOCK_FACTOR = 0x9E3779B97F4A7C15
_HEAD_FACTOR = 1000003
_LEAST_NORMALIZER = 1e-6


class Mixer(nn.Module):
    """What all rivals have: query, key and value, heads, the output layer, the normalization."""

    def __init__(self, options: Options) -> None:
        super().__init__()
        d = options.width
        self.options = options
        self.query = nn.Linear(d, d)
        self.key = nn.Linear(d, d)
        self.value = nn.Linear(d, d)
        self.output = nn.Linear(d, d) if options.output_projection else None
        self.normalization = make_normalization(options)

    def place(self, name: str, encoder: Encoder) -> None:
        """Tells the mixer its name in the model and the encoder that it belongs to."""
        del encoder
        self.name = name

    def split(self, rows: Tensor) -> Tensor:
        """[m, d] to [h, m, e]."""
        return rows.view(rows.shape[0], self.options.heads, -1).transpose(0, 1)

    def join(self, heads: Tensor) -> Tensor:
        """[h, m, e] to [m, d]."""
        return heads.transpose(0, 1).reshape(heads.shape[1], -1)

    def scale(self) -> float:
        """What logits are multiplied by: 1 / sqrt(e)."""
        return 1.0 / math.sqrt(self.options.width // self.options.heads)

    def token_weights(self, logits: Tensor) -> Tensor:
        """[h, n, m] logits to weights that sum to one over the m keys."""
        return torch.softmax(logits, dim=2)

    def attend(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
        """Rows [n, d], [m, d], [m, d] and what sees what, [n, m] or [h, n, m], to rows [n, d]."""
        logits = self.split(query) @ self.split(key).transpose(1, 2) * self.scale()
        weights = self.token_weights(logits.masked_fill(~mask, -math.inf))
        return self.join(weights @ self.split(value))

    def mix(self, x: Tensor) -> Tensor:
        """[n, d] to [n, d], n > 0, before the output layer."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """[n, d] to [n, d], without the residual and normalization around it."""
        rows = self.mix(x)
        return rows if self.output is None else self.output(rows)


class Softmax(Mixer):
    """Transformer: Vaswani et al., arXiv 1706.03762, section 3.2."""

    def sees(self, i: int, j: int) -> bool:
        """Whether token i sees token j."""
        return not self.options.causal or j <= i

    def mix(self, x: Tensor) -> Tensor:
        n = x.shape[0]
        mask = torch.tensor([[self.sees(i, j) for j in range(n)] for i in range(n)])
        return self.attend(self.query(x), self.key(x), self.value(x), mask)


class SlidingWindow(Mixer):
    """Longformer: Beltagy et al., arXiv 2004.05150, section 3.1."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        if options.global_tokens > 0:
            d = options.width
            self.global_query = nn.Linear(d, d)
            self.global_key = nn.Linear(d, d)
            self.global_value = nn.Linear(d, d)

    def sees(self, i: int, j: int) -> bool:
        """Whether token i, which is not global, sees token j."""
        return abs(i - j) <= self.options.window // 2 or j < self.options.global_tokens

    def local_rows(self, x: Tensor) -> Tensor:
        """[n, d] to [n, d], as if only keys were global."""
        n = x.shape[0]
        mask = torch.tensor([[self.sees(i, j) for j in range(n)] for i in range(n)])
        return self.attend(self.query(x), self.key(x), self.value(x), mask)

    def global_rows(self, x: Tensor, count: int) -> Tensor:
        """The first `count` rows, which see all of x [n, d] with projections of their own."""
        mask = torch.ones(count, x.shape[0], dtype=torch.bool)
        query, key, value = self.global_query(x[:count]), self.global_key(x), self.global_value(x)
        return self.attend(query, key, value, mask)

    def mix(self, x: Tensor) -> Tensor:
        count = min(self.options.global_tokens, x.shape[0])
        local = self.local_rows(x)
        return torch.cat([self.global_rows(x, count), local[count:]]) if count else local


def mix64(x: int) -> int:
    """The finalizer of SplitMix64."""
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _WORD_MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _WORD_MASK
    return x ^ (x >> 31)


def fnv1a(text: str) -> int:
    """The 64-bit FNV-1a hash of the text's bytes."""
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) & _WORD_MASK
    return value


class BlockSparse(Mixer):
    """BigBird: Zaheer et al., arXiv 2007.14062, section 2 and appendix D.

    "internal" (ITC): the first blocks are global. "external" (ETC): rows that are parameters stand
    before the document; in one layer they only serve as keys and values.
    """

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        if options.global_kind == "external":
            self.global_rows = nn.Parameter(torch.empty(options.global_tokens, options.width))

    def blocks(self, tokens: int) -> int:
        """How many blocks hold that many tokens; the last may be short."""
        return -(-tokens // self.options.block_size)

    def global_blocks(self) -> int:
        """How many blocks at the beginning are global."""
        internal = self.options.global_kind == "internal"
        return self.blocks(self.options.global_tokens) if internal else 0

    def side(self) -> int:
        """How many blocks a query sees on each side of its own."""
        size = self.options.block_size
        rounded = (self.options.window + size // 2) // size
        return max(1, rounded // 2)

    def seed(self) -> int:
        """What the random blocks of this layer depend on."""
        return mix64((self.options.random_seed + fnv1a(self.name)) & _WORD_MASK)

    def candidates(self, block: int, count: int) -> list[int]:
        """Which of `count` blocks may become random blocks of `block`."""
        others = range(self.global_blocks(), count)
        return [other for other in others if abs(block - other) > self.side()]

    def draw(self, block: int, head: int, k: int) -> int:
        """The number, below 2^64, that decides on random block k of a block and head."""
        place = (block * _BLOCK_FACTOR + head * _HEAD_FACTOR + k) & _WORD_MASK
        return mix64(self.seed() ^ mix64(place))

    def random_blocks(self, block: int, head: int, count: int) -> list[int]:
        """The random blocks that `block` of `count` sees: Fisher and Yates, as far as needed."""
        candidates = self.candidates(block, count)
        m = len(candidates)
        taken = min(self.blocks(self.options.random_tokens), m)
        for k in range(taken):
            other = k + self.draw(block, head, k) % (m - k)
            candidates[k], candidates[other] = candidates[other], candidates[k]
        return candidates[:taken]

    def visible_blocks(self, block: int, head: int, count: int) -> set[int]:
        """Which of `count` blocks the tokens of `block` see."""
        if block < self.global_blocks():
            return set(range(count))
        near = {other for other in range(count) if abs(block - other) <= self.side()}
        first = set(range(min(self.global_blocks(), count)))
        return near | first | set(self.random_blocks(block, head, count))

    def block_of(self, n: int) -> Tensor:
        """[n]: the block of each token."""
        return torch.arange(n) // self.options.block_size

    def mask(self, n: int) -> Tensor:
        """[h, n, n]: which tokens each token sees, head by head."""
        block_of = self.block_of(n)
        heads, count = self.options.heads, int(block_of[-1]) + 1
        of_blocks = torch.zeros(heads, count, count, dtype=torch.bool)
        for head in range(heads):
            for block in range(count):
                of_blocks[head, block, list(self.visible_blocks(block, head, count))] = True
        return of_blocks[:, block_of][:, :, block_of]

    def mix(self, x: Tensor) -> Tensor:
        mask, sources = self.mask(x.shape[0]), x
        if self.options.global_kind == "external":
            sources = torch.cat([self.global_rows, x])
            seen = torch.ones(*mask.shape[:2], self.global_rows.shape[0], dtype=torch.bool)
            mask = torch.cat([seen, mask], dim=2)
        return self.attend(self.query(x), self.key(sources), self.value(sources), mask)


class LengthProjection(nn.Module):
    """A matrix [..., k, L] that makes k rows of up to L."""

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(shape))


class LowRank(Mixer):
    """Linformer: Wang et al., arXiv 2006.04768, section 4."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        shape = (options.projection, options.projection_length)
        sharing = options.projection_sharing
        if sharing in ("none", "heads"):
            shape = (options.heads, *shape) if sharing == "none" else shape
            self.key_projection = LengthProjection(*shape)
            self.value_projection = LengthProjection(*shape)
        elif sharing == "key_value":
            self.length_projection = LengthProjection(*shape)

    def place(self, name: str, encoder: Encoder) -> None:
        super().place(name, encoder)
        if self.options.projection_sharing == "layers":
            if not hasattr(encoder, "length_projection"):
                shape = (self.options.projection, self.options.projection_length)
                encoder.length_projection = LengthProjection(*shape)
            # In a tuple, so that the parameter is the encoder's and not this module's too.
            self.of_encoder = (encoder.length_projection,)

    def matrices(self) -> tuple[Tensor, Tensor]:
        """E and F, [k, L] or [h, k, L]: what shortens the keys, and what shortens the values."""
        if self.options.projection_sharing in ("none", "heads"):
            return self.key_projection.weight, self.value_projection.weight
        layers = self.options.projection_sharing == "layers"
        shared = self.of_encoder[0] if layers else self.length_projection
        return shared.weight, shared.weight

    def shorten(self, matrix: Tensor, rows: Tensor) -> Tensor:
        """Rows [n, d] to [k, d] by the first n columns of the matrix."""
        n, length = rows.shape[0], self.options.projection_length
        if n > length:
            raise ValueError(f"a document has {n} tokens; projection_length is {length}.")
        return self.join(matrix[..., :n] @ self.split(rows))

    def mix(self, x: Tensor) -> Tensor:
        for_keys, for_values = self.matrices()
        key, value = self.shorten(for_keys, self.key(x)), self.shorten(for_values, self.value(x))
        mask = torch.ones(x.shape[0], self.options.projection, dtype=torch.bool)
        return self.attend(self.query(x), key, value, mask)


class Linear(Softmax):
    """Linear Transformer: Katharopoulos et al., arXiv 2006.16236, sections 3.2 to 3.4.

    Sees what softmax attention sees; the weights are products of features, made to sum to one.
    """

    def features(self, rows: Tensor) -> Tensor:
        """phi, element-wise."""
        return functional.elu(rows) + 1.0

    def normalizer(self, weights: Tensor) -> Tensor:
        """[h, n, m] to [h, n, 1]: what the weighted sums are divided by."""
        return weights.sum(2, keepdim=True) + _LEAST_NORMALIZER

    def attend(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
        weights = self.split(self.features(query)) @ self.split(self.features(key)).transpose(1, 2)
        weights = weights.masked_fill(~mask, 0.0)
        return self.join(weights @ self.split(value) / self.normalizer(weights))


class Pooling(Mixer):
    """Poolingformer: Zhang et al., arXiv 2105.04371, section 3."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        d = options.width
        self.pooled_query = nn.Linear(d, d)
        self.pooled_key = nn.Linear(d, d)
        self.pooled_value = nn.Linear(d, d)
        if options.pooling == "dynamic":
            self.dynamic = nn.Linear(d, options.heads * options.pooling_kernel)

    def near(self, i: int, j: int) -> bool:
        """Whether token i sees token j in the first level."""
        return abs(i - j) <= self.options.window // 2

    def pooled_rows(self, n: int) -> int:
        """How many pooled rows n tokens have."""
        return -(-n // self.options.pooling_stride)

    def first_token(self, p: int) -> int:
        """The first token that pooled row p covers."""
        return p * self.options.pooling_stride

    def end(self, p: int, n: int) -> int:
        """One past the last of n tokens that pooled row p covers."""
        return min(self.first_token(p) + self.options.pooling_kernel, n)

    def centre(self, p: int, n: int) -> int:
        """The token that says how the tokens of pooled row p are weighted."""
        return min(self.first_token(p) + self.options.pooling_kernel // 2, n - 1)

    def reaches(self, i: int, p: int) -> bool:
        """Whether pooled row p is within the window of token i."""
        return abs(i - self.first_token(p)) <= self.options.pooled_window // 2

    def sees(self, i: int, count: int) -> list[bool]:
        """Which of `count` pooled rows token i sees: at least the nearest that begins before it."""
        seen = [self.reaches(i, p) for p in range(count)]
        if not any(seen):
            seen[i // self.options.pooling_stride] = True
        return seen

    def dynamic_weights(self, logits: Tensor, covered: int) -> Tensor:
        """[h, kernel] logits to weights of the covered tokens, [h, covered]."""
        return torch.softmax(logits[:, :covered], dim=1)

    def pool(self, rows: Tensor, first: Tensor, p: int) -> Tensor:
        """Row p [d] of the pooled rows [n, d]; `first` [n, d] is the outcome of the first level."""
        end = self.end(p, first.shape[0])
        covered = rows[self.first_token(p) : end]
        if self.options.pooling == "mean":
            return covered.mean(0)
        if self.options.pooling == "max":
            return covered.max(0).values
        centre = first[self.centre(p, first.shape[0])]
        logits = self.dynamic(centre).view(self.options.heads, self.options.pooling_kernel)
        weights = self.dynamic_weights(logits, covered.shape[0])
        return (weights[:, :, None] * self.split(covered)).sum(1).reshape(-1)

    def second_level(self, first: Tensor) -> Tensor:
        """Attention of the first level's rows [n, d] to their pooled rows."""
        n = first.shape[0]
        count = self.pooled_rows(n)
        key, value = self.pooled_key(first), self.pooled_value(first)
        key = torch.stack([self.pool(key, first, p) for p in range(count)])
        value = torch.stack([self.pool(value, first, p) for p in range(count)])
        mask = torch.tensor([self.sees(i, count) for i in range(n)])
        return self.attend(self.pooled_query(first), key, value, mask)

    def mix(self, x: Tensor) -> Tensor:
        n = x.shape[0]
        mask = torch.tensor([[self.near(i, j) for j in range(n)] for i in range(n)])
        first = self.attend(self.query(x), self.key(x), self.value(x), mask)
        second = self.second_level(first)
        return first + second if self.options.pooling_residual == "sum" else second


TYPES: dict[str, AttentionType] = {
    "additive": Attention,
    "softmax": Softmax,
    "sliding_window": SlidingWindow,
    "block_sparse": BlockSparse,
    "low_rank": LowRank,
    "linear": Linear,
    "pooling": Pooling,
}


def build(options: Options, attention_type: AttentionType | None = None) -> Fastformer:
    """The model of any mixer; `attention_type` stands in for the mixer that the options name."""
    model = Fastformer(options, attention_type or TYPES[options.mixer])
    for i, layer in enumerate(model.encoder.layers):
        if isinstance(layer.attention, Mixer):
            layer.attention.place(f"encoder.layers.{i}.attention", model.encoder)
    return model

"""Rival mixers that each make one mistake; rivals_traps_test.py shows that the cases catch them."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

import mixer_oracle


class Unscaled(mixer_oracle.Mixer):
    """Logits without the 1 / sqrt(e)."""

    def scale(self) -> float:
        return 1.0


class ScaledByWidth(mixer_oracle.Mixer):
    """Logits divided by sqrt(d) instead of sqrt(e)."""

    def scale(self) -> float:
        return self.options.width**-0.5


class SoftmaxOverQueries(mixer_oracle.Mixer):
    """Weights sum to one over the queries instead of over the keys."""

    def token_weights(self, logits: Tensor) -> Tensor:
        return torch.softmax(logits, dim=1)


class SoftmaxOverHeads(mixer_oracle.Mixer):
    """Weights sum to one over the heads instead of over the keys."""

    def token_weights(self, logits: Tensor) -> Tensor:
        return torch.softmax(logits, dim=0)


class SeesTheFuture(mixer_oracle.Softmax):
    """`causal` is ignored."""

    def sees(self, i: int, j: int) -> bool:
        return True


class SeesTheFutureOnly(mixer_oracle.Softmax):
    """The causal mask is transposed."""

    def sees(self, i: int, j: int) -> bool:
        return j >= i


class LinearSeesTheFuture(mixer_oracle.Linear):
    """`causal` is ignored."""

    def sees(self, i: int, j: int) -> bool:
        return True


class LinearWithoutItself(mixer_oracle.Linear):
    """A token's own key and value come after its output is formed."""

    def sees(self, i: int, j: int) -> bool:
        return j < i


class WindowTooWide(mixer_oracle.SlidingWindow):
    """One token too many on each side."""

    def sees(self, i: int, j: int) -> bool:
        return super().sees(i, j) or abs(i - j) == self.options.window // 2 + 1


class WindowTooNarrow(mixer_oracle.SlidingWindow):
    """One token too few on each side."""

    def sees(self, i: int, j: int) -> bool:
        return abs(i - j) < self.options.window // 2 or j < self.options.global_tokens


class WindowOnEachSide(mixer_oracle.SlidingWindow):
    """The whole window on each side, not half of it."""

    def sees(self, i: int, j: int) -> bool:
        return super().sees(i, j) or abs(i - j) <= self.options.window


class GlobalKeysUnseen(mixer_oracle.SlidingWindow):
    """Global tokens see all, but are not seen by all."""

    def sees(self, i: int, j: int) -> bool:
        return abs(i - j) <= self.options.window // 2


class GlobalKeysTwice(mixer_oracle.SlidingWindow):
    """A global key within the window counts twice."""

    def attend(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
        n, count = key.shape[0], self.options.global_tokens
        if mask.shape[0] < n:
            return super().attend(query, key, value, mask)
        tokens = torch.arange(n)
        near = (tokens[:, None] - tokens).abs() <= self.options.window // 2
        seen = torch.cat([mask[:, :count], near], dim=1)
        return super().attend(
            query, torch.cat([key[:count], key]), torch.cat([value[:count], value]), seen
        )


class GlobalRowsAreLocal(mixer_oracle.SlidingWindow):
    """Global tokens are seen by all, but do not see all."""

    def global_rows(self, x: Tensor, count: int) -> Tensor:
        return self.local_rows(x)[:count]


class GlobalRowsByCommonProjections(mixer_oracle.SlidingWindow):
    """Global tokens see all, with the projections of the other tokens."""

    def global_rows(self, x: Tensor, count: int) -> Tensor:
        mask = torch.ones(count, x.shape[0], dtype=torch.bool)
        return self.attend(self.query(x[:count]), self.key(x), self.value(x), mask)


class GlobalRowsByOwnQueriesAlone(mixer_oracle.SlidingWindow):
    """Global tokens see all, with queries of their own and common keys and values."""

    def global_rows(self, x: Tensor, count: int) -> Tensor:
        mask = torch.ones(count, x.shape[0], dtype=torch.bool)
        return self.attend(self.global_query(x[:count]), self.key(x), self.value(x), mask)


class RandomRepeatsWindow(mixer_oracle.BlockSparse):
    """Random blocks may be blocks that are seen anyway."""

    def candidates(self, block: int, count: int) -> list[int]:
        return list(range(count))


class RandomWithReplacement(mixer_oracle.BlockSparse):
    """The same random block may be drawn again."""

    def random_blocks(self, block: int, head: int, count: int) -> list[int]:
        candidates = self.candidates(block, count)
        draws = range(self.blocks(self.options.random_tokens) if candidates else 0)
        return [candidates[self.draw(block, head, k) % len(candidates)] for k in draws]


class RandomEqualInHeads(mixer_oracle.BlockSparse):
    """All heads draw the same blocks."""

    def random_blocks(self, block: int, head: int, count: int) -> list[int]:
        return super().random_blocks(block, 0, count)


class RandomEqualInLayers(mixer_oracle.BlockSparse):
    """All layers draw the same blocks."""

    def seed(self) -> int:
        self.name = "encoder.layers.0.attention"
        return super().seed()


class RandomSeedIgnored(mixer_oracle.BlockSparse):
    """The blocks depend on the layer's name alone."""

    def seed(self) -> int:
        return mixer_oracle.mix64(mixer_oracle.fnv1a(self.name))


class BlocksOfWholeWindow(mixer_oracle.BlockSparse):
    """The whole window on each side, not half of it."""

    def side(self) -> int:
        size = self.options.block_size
        return max(1, (self.options.window + size // 2) // size)


class BlocksRoundedDown(mixer_oracle.BlockSparse):
    """Windows are cut to whole blocks."""

    def side(self) -> int:
        return max(1, self.options.window // self.options.block_size // 2)


class GlobalBlocksRoundedDown(mixer_oracle.BlockSparse):
    """A block that is not global as a whole is not global at all."""

    def global_blocks(self) -> int:
        internal = self.options.global_kind == "internal"
        return self.options.global_tokens // self.options.block_size if internal else 0


class GlobalBlocksAsKeysOnly(mixer_oracle.BlockSparse):
    """Global blocks are seen by all, but do not see all."""

    def visible_blocks(self, block: int, head: int, count: int) -> set[int]:
        near = {other for other in range(count) if abs(block - other) <= self.side()}
        first = set(range(min(self.global_blocks(), count)))
        return near | first | set(self.random_blocks(block, head, count))


class LastBlockPadded(mixer_oracle.BlockSparse):
    """The rows that fill the last block are seen."""

    def mix(self, x: Tensor) -> Tensor:
        missing = -x.shape[0] % self.options.block_size
        return super().mix(functional.pad(x, (0, 0, 0, missing)))[: x.shape[0]]


class BlocksCountExternalRows(mixer_oracle.BlockSparse):
    """The blocks begin at the external rows instead of at the document."""

    def block_of(self, n: int) -> Tensor:
        return (torch.arange(n) + self.options.global_tokens) // self.options.block_size


class LengthPadded(mixer_oracle.LowRank):
    """The document is filled up to the projection's length; the filling has keys and values."""

    def mix(self, x: Tensor) -> Tensor:
        missing = self.options.projection_length - x.shape[0]
        return super().mix(functional.pad(x, (0, 0, 0, missing)))[: x.shape[0]]


class LastColumns(mixer_oracle.LowRank):
    """A short document takes the projection's last columns."""

    def shorten(self, matrix: Tensor, rows: Tensor) -> Tensor:
        return super().shorten(matrix[..., matrix.shape[-1] - rows.shape[0] :], rows)


class ScaledToLength(mixer_oracle.LowRank):
    """A short document's projected rows are scaled up to those of a full one."""

    def shorten(self, matrix: Tensor, rows: Tensor) -> Tensor:
        return super().shorten(matrix, rows) * matrix.shape[-1] / rows.shape[0]


class ValuesByKeyProjection(mixer_oracle.LowRank):
    """One projection for keys and values although there are two."""

    def matrices(self) -> tuple[Tensor, Tensor]:
        return (super().matrices()[0],) * 2


class FirstHeadsProjection(mixer_oracle.LowRank):
    """One projection for all heads although each has its own."""

    def matrices(self) -> tuple[Tensor, Tensor]:
        return tuple(matrix[0] for matrix in super().matrices())


class ShortensTheInput(mixer_oracle.LowRank):
    """The input is projected before the key layer, whose bias then is not projected."""

    def mix(self, x: Tensor) -> Tensor:
        for_keys, for_values = self.matrices()
        mask = torch.ones(x.shape[0], self.options.projection, dtype=torch.bool)
        key, value = self.key(self.shorten(for_keys, x)), self.value(self.shorten(for_values, x))
        return self.attend(self.query(x), key, value, mask)


class NoNormalizer(mixer_oracle.Linear):
    """Sums of features are not divided by anything."""

    def normalizer(self, weights: Tensor) -> Tensor:
        return torch.ones_like(weights[:, :, :1])


class EluWithoutOne(mixer_oracle.Linear):
    """Features may be negative."""

    def features(self, rows: Tensor) -> Tensor:
        return functional.elu(rows)


class ReluFeatures(mixer_oracle.Linear):
    """phi(x) = max(x, 0)."""

    def features(self, rows: Tensor) -> Tensor:
        return functional.relu(rows)


class ScaledFeatures(mixer_oracle.Linear):
    """Queries are divided by sqrt(e), as those of a softmax."""

    def attend(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
        return super().attend(query * self.scale(), key, value, mask)


class MeanPastTheEnd(mixer_oracle.Pooling):
    """The mean divides by the kernel's size where the document ends within it."""

    def pool(self, rows: Tensor, first: Tensor, p: int) -> Tensor:
        covered = self.end(p, first.shape[0]) - self.first_token(p)
        return super().pool(rows, first, p) * covered / self.options.pooling_kernel


class MaximumPastTheEnd(mixer_oracle.Pooling):
    """Zeros past the document's end take part in the maximum."""

    def pool(self, rows: Tensor, first: Tensor, p: int) -> Tensor:
        pooled = super().pool(rows, first, p)
        short = self.first_token(p) + self.options.pooling_kernel > first.shape[0]
        return pooled.clamp(min=0) if short else pooled


class DynamicPastTheEnd(mixer_oracle.Pooling):
    """Dynamic weights sum to one over the whole kernel where the document ends within it."""

    def dynamic_weights(self, logits: Tensor, covered: int) -> Tensor:
        return torch.softmax(logits, dim=1)[:, :covered]


class DynamicOfTheFirst(mixer_oracle.Pooling):
    """The first covered token gives the weights, not the one in the middle."""

    def centre(self, p: int, n: int) -> int:
        return self.first_token(p)


class WholeKernelsOnly(mixer_oracle.Pooling):
    """No pooled row where the document ends within the kernel."""

    def pooled_rows(self, n: int) -> int:
        return max(0, n - self.options.pooling_kernel) // self.options.pooling_stride + 1

    def sees(self, i: int, count: int) -> list[bool]:
        seen = [self.reaches(i, p) for p in range(count)]
        return seen if any(seen) else [False] * (count - 1) + [True]


class FirstLevelTooWide(mixer_oracle.Pooling):
    """One token too many on each side of the first window."""

    def near(self, i: int, j: int) -> bool:
        return abs(i - j) <= self.options.window // 2 + 1


class PooledWindowTooWide(mixer_oracle.Pooling):
    """One token too many on each side of the second window."""

    def reaches(self, i: int, p: int) -> bool:
        return abs(i - self.first_token(p)) <= self.options.pooled_window // 2 + 1


class PooledWindowInRows(mixer_oracle.Pooling):
    """The second window counts pooled rows instead of tokens."""

    def reaches(self, i: int, p: int) -> bool:
        return abs(i // self.options.pooling_stride - p) <= self.options.pooled_window // 2


class PooledWindowFromTheMiddle(mixer_oracle.Pooling):
    """The second window is measured from the middle of what a pooled row covers."""

    def reaches(self, i: int, p: int) -> bool:
        middle = self.first_token(p) + self.options.pooling_kernel // 2
        return abs(i - middle) <= self.options.pooled_window // 2


class NearestOnEitherSide(mixer_oracle.Pooling):
    """A token that reaches no pooled row takes the next one where that is nearer."""

    def sees(self, i: int, count: int) -> list[bool]:
        seen = [self.reaches(i, p) for p in range(count)]
        if not any(seen):
            seen[min(round(i / self.options.pooling_stride), count - 1)] = True
        return seen


class SecondLevelOfInput(mixer_oracle.Pooling):
    """The second level reads the input instead of the first level's rows."""

    def mix(self, x: Tensor) -> Tensor:
        self.input = x
        return super().mix(x)

    def second_level(self, first: Tensor) -> Tensor:
        return super().second_level(self.input)


class NoPoolingResidual(mixer_oracle.Pooling):
    """The second level's rows alone."""

    def mix(self, x: Tensor) -> Tensor:
        return super().mix(x) - self.first

    def second_level(self, first: Tensor) -> Tensor:
        self.first = first
        return super().second_level(first)

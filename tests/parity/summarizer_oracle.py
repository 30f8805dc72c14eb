"""The summarizer in its direct form: every document and summary by itself, every weight in full.

The encoder is that of oracle.py with any mixer. The decoder is that of Vaswani et al., arXiv
1706.03762, section 3.1; copying is the pointer-generator of See et al., arXiv 1704.04368, section
2.2, with scaled dot-product attention whose keys also see the row before. Parameters carry the names
of the C++ library.

Example:
    model = Summarizer(SummaryOptions()).double()
    value = model.loss([[3, 1, 4], []], [[7], [2, 2]], label_smoothing=0.1)
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from mixer_oracle import TYPES
from oracle import Embedding, Encoder, Options

_EPSILON = 1e-12
Tokens = Sequence[int]


@dataclasses.dataclass(frozen=True)
class SummaryOptions:
    """What a summarizer is made of; the names are those of a case's config.json."""

    source: Options = Options()
    decoder_layers: int = 2
    decoder_ffn_width: int = 40
    decoder_normalization: str = "post"
    target_positions: int = 32
    tied: bool = True
    copy: bool = True
    begin: int = 1
    end: int = 2


class Attention(nn.Module):
    """Softmax attention with all its projections, and the normalization of its block."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.output = nn.Linear(width, width)
        self.normalization = nn.LayerNorm(width, eps=_EPSILON)

    def forward(self, x: Tensor, rows: Tensor, causal: bool) -> Tensor:
        """Rows [n, d] that look at rows [m, d], zeros where m = 0; causal: row i at rows 0..i."""
        if rows.shape[0] == 0:
            return self.output(torch.zeros_like(x))
        query, key, value = self.query(x), self.key(rows), self.value(rows)
        e = x.shape[1] // self.heads
        joined = []
        for i in range(x.shape[0]):
            seen = i + 1 if causal else rows.shape[0]
            heads = []
            for columns in (slice(t * e, (t + 1) * e) for t in range(self.heads)):
                logits = key[:seen, columns] @ query[i, columns] / math.sqrt(e)
                heads.append(torch.softmax(logits, dim=0) @ value[:seen, columns])
            joined.append(torch.cat(heads))
        return self.output(torch.stack(joined))


class FeedForward(nn.Module):
    """output(activation(input(x))) with its normalization."""

    def __init__(self, options: SummaryOptions) -> None:
        super().__init__()
        width = options.source.width
        gelu = options.source.activation == "gelu"
        self.activation = functional.gelu if gelu else functional.relu
        self.input = nn.Linear(width, options.decoder_ffn_width)
        self.output = nn.Linear(options.decoder_ffn_width, width)
        self.normalization = nn.LayerNorm(width, eps=_EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        """[n, d] to [n, d]."""
        return self.output(self.activation(self.input(x)))


class DecoderLayer(nn.Module):
    """Attention to the summary so far, attention to the document, feed-forward."""

    def __init__(self, options: SummaryOptions) -> None:
        super().__init__()
        source = options.source
        self.pre = options.decoder_normalization == "pre"
        self.self_attention = Attention(source.width, source.heads)
        self.cross_attention = Attention(source.width, source.heads)
        self.feed_forward = FeedForward(options) if options.decoder_ffn_width else None

    def block(self, x: Tensor, inner: nn.Module, *rows: object) -> Tensor:
        """`inner` with the residual and the normalization; `rows` as it takes them besides x."""
        normed = inner.normalization(x) if self.pre else x
        if inner is self.self_attention:
            rows = (normed, True)
        y = x + inner(normed, *rows)
        return y if self.pre else inner.normalization(y)

    def forward(self, x: Tensor, memory: Tensor) -> Tensor:
        """[n, d] and the encoded document [m, d] to [n, d]."""
        x = self.block(x, self.self_attention)
        x = self.block(x, self.cross_attention, memory, False)
        return x if self.feed_forward is None else self.block(x, self.feed_forward)


class Decoder(nn.Module):
    """The layers, with a last normalization where each normalizes its input."""

    def __init__(self, options: SummaryOptions) -> None:
        super().__init__()
        self.layers = nn.ModuleList(DecoderLayer(options) for _ in range(options.decoder_layers))
        pre = options.decoder_normalization == "pre"
        self.normalization = nn.LayerNorm(options.source.width, eps=_EPSILON) if pre else None

    def forward(self, x: Tensor, memory: Tensor) -> Tensor:
        """[n, d] and the encoded document [m, d] to [n, d]."""
        for layer in self.layers:
            x = layer(x, memory)
        return x if self.normalization is None else self.normalization(x)


class TargetEmbedding(nn.Module):
    """What summaries have of their own; the table of tokens is that of the documents."""

    def __init__(self, options: SummaryOptions) -> None:
        super().__init__()
        width, positions = options.source.width, options.target_positions
        self.position = nn.Embedding(positions, width) if positions else None
        normed = options.source.normalization != "none"
        self.normalization = nn.LayerNorm(width, eps=_EPSILON) if normed else None

    def forward(self, rows: Tensor) -> Tensor:
        """Rows of tokens [n, d] to [n, d]."""
        if self.position is not None:
            rows = rows + self.position.weight[: rows.shape[0]]
        return rows if self.normalization is None else self.normalization(rows)


class Copy(nn.Module):
    """The pointer: where to copy from, and whether to generate."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.previous = nn.Linear(width, width, bias=False)
        self.gate = nn.Linear(3 * width, 1)

    def forward(
        self, generated: Tensor, y: Tensor, x: Tensor, memory: Tensor, document: Tokens
    ) -> Tensor:
        """The mixture [V] for one row y of the decoder, whose input was x."""
        if len(document) == 0:
            return generated
        before = torch.cat([torch.zeros_like(memory[:1]), memory[:-1]])
        keys = self.key(memory) + self.previous(before)
        weights = torch.softmax(keys @ self.query(y) / math.sqrt(y.shape[0]), dim=0)
        context = (weights[:, None] * memory).sum(0)
        g = torch.sigmoid(self.gate(torch.cat([context, y, x])))[0]
        copied = []
        for token in range(generated.shape[0]):
            places = [j for j, other in enumerate(document) if other == token]
            copied.append(weights[places].sum())
        return g * generated + (1 - g) * torch.stack(copied)


class Output(nn.Module):
    """The output layer; without a weight of its own where it is tied."""

    def __init__(self, options: SummaryOptions) -> None:
        super().__init__()
        size, width = options.source.vocabulary_size, options.source.width
        self.weight = None if options.tied else nn.Parameter(torch.empty(size, width))
        self.bias = nn.Parameter(torch.empty(size))


class Summarizer(nn.Module):
    """Embeddings, encoder, decoder, output layer and, where there is one, the pointer."""

    def __init__(self, options: SummaryOptions) -> None:
        super().__init__()
        self.options = options
        self.embedding = Embedding(options.source)
        self.target_embedding = TargetEmbedding(options)
        self.encoder = Encoder(options.source, TYPES[options.source.mixer])
        self.decoder = Decoder(options)
        self.output = Output(options)
        self.copy = Copy(options.source.width) if options.copy else None

    def encode(self, document: Tokens) -> Tensor:
        """[m] ids to [m, d] rows."""
        if len(document) == 0:
            return self.embedding.token.weight.new_zeros((0, self.options.source.width))
        return self.encoder(self.embedding(document))

    def distributions(self, document: Tokens, summary: Tokens) -> Tensor:
        """[n + 1, V]: the probabilities of each token of a summary, and of what follows it."""
        memory = self.encode(document)
        table = self.embedding.token.weight
        inputs = self.target_embedding(table[[self.options.begin, *summary]])
        rows = self.decoder(inputs, memory)
        weight = table if self.output.weight is None else self.output.weight
        generated = torch.softmax(rows @ weight.T + self.output.bias, dim=1)
        if self.copy is None:
            return generated
        mixed = [
            self.copy(p, y, x, memory, document) for p, y, x in zip(generated, rows, inputs)
        ]
        return torch.stack(mixed)

    def loss(
        self, documents: Sequence[Tokens], summaries: Sequence[Tokens], label_smoothing: float
    ) -> Tensor:
        """The cross entropy of the mixture with the smoothed targets, the mean over all rows."""
        losses = []
        for document, summary in zip(documents, summaries):
            for p, token in zip(
                self.distributions(document, summary), [*summary, self.options.end]
            ):
                q = torch.full_like(p, label_smoothing / p.shape[0])
                q[token] += 1 - label_smoothing
                losses.append(-(q * p.log()).sum())
        return torch.stack(losses).mean()


def fill_parameters(model: Summarizer, seed: int) -> None:
    """Parameters large enough that a wrong term shows, small enough that no softmax saturates."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            values = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            matrix = parameter.dim() > 1 and "embedding" not in name
            values *= min(0.3, parameter.shape[-1] ** -0.5) if matrix else 0.3
            if name.endswith("normalization.weight"):
                values += 1.0
            parameter.copy_(values)

"""News recommenders written to be obviously right: every title of every user by itself.

Nothing is shared between users or candidates, so that a title that occurs ten times is encoded ten
times; there is no padding but what a definition has. Parameters carry the names of the C++ library.
Sources: Wu et al., arXiv 2108.09084, section 4.1 (fastformer); Wu et al., "Neural News
Recommendation with Multi-Head Self-Attention", EMNLP 2019 (nrms); Wang et al., "Fine-grained
Interest Matching for Neural News Recommendation", ACL 2020 (fim); Wu et al., "Empowering News
Recommendation with Pre-trained Language Models", SIGIR 2021 (plm_nr; fastformer_plm_nr has
fastformer's encoder of users). BERT itself is that of the library transformers.

Example:
    model = build(Options(model="nrms")).double()
    score = model.score(history=[[3, 1, 4], []], candidate=[1, 5])
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel

import oracle
from mixer_oracle import TYPES

_KERNEL = (-1, 0, 1)
_BLOCK = 3
_EPSILON = 1e-12

Title = Sequence[int]


@dataclasses.dataclass(frozen=True)
class Options:
    """What a recommender is made of; `news` and `user` are the options of the two encoders.

    For plm_nr `news` gives the width of the news and the number of tokens alone.
    """

    model: str = "fastformer"
    news: oracle.Options = oracle.Options()
    user: oracle.Options = oracle.Options()
    query_width: int = 12
    embedding_normalization: bool = False
    matched_words: int = 5
    matched_items: int = 4
    filters: int = 6
    bert_width: int = 12
    trainable_layers: int = -1


class Pooling(nn.Module):
    """sum of a_i x_i, a = softmax over i of v . tanh(W x_i + b) + c; zero without rows."""

    def __init__(self, width: int, query_width: int) -> None:
        super().__init__()
        self.projection = nn.Linear(width, query_width)
        self.logits = nn.Linear(query_width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """[n, d] to [d]."""
        if len(x) == 0:
            return x.new_zeros(x.shape[1])
        weights = torch.softmax(self.logits(torch.tanh(self.projection(x)))[:, 0], dim=0)
        return weights @ x


class Tower(nn.Module):
    """Rows to one vector: encoder, pooling."""

    def __init__(self, options: oracle.Options, query_width: int) -> None:
        super().__init__()
        self.encoder = oracle.Encoder(options, TYPES[options.mixer])
        for i, layer in enumerate(self.encoder.layers):
            if hasattr(layer.attention, "place"):
                layer.attention.place(f"encoder.layers.{i}.attention", self.encoder)
        self.pooling = Pooling(options.width, query_width)

    def forward(self, x: Tensor) -> Tensor:
        """[n, d] to [d]."""
        return self.pooling(self.encoder(x) if len(x) else x)


class Recommender(nn.Module):
    """What all have: the words' embedding."""

    def __init__(self, options: Options) -> None:
        super().__init__()
        self.options = options
        kind = "post" if options.embedding_normalization else "none"
        self.embedding = oracle.Embedding(dataclasses.replace(options.news, normalization=kind))

    def words(self, title: Title) -> Tensor:
        """[n, d]."""
        if len(title) == 0:
            return self.embedding.token.weight.new_zeros((0, self.options.news.width))
        return self.embedding(title)

    def score(self, history: Sequence[Title], candidate: Title) -> Tensor:
        """How well the candidate suits a user who clicked these titles, oldest first."""
        raise NotImplementedError


class TwoTower(Recommender):
    """fastformer and nrms: the product of a user's and a news' vector."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.news = Tower(options.news, options.query_width)
        self.user = Tower(options.user, options.query_width)

    def encode_news(self, title: Title) -> Tensor:
        """[d]."""
        return self.news(self.words(title))

    def encode_user(self, history: Sequence[Title]) -> Tensor:
        """[d]."""
        clicked = [self.encode_news(title) for title in history]
        if not clicked:
            return next(self.parameters()).new_zeros(self.options.news.width)
        return self.user(torch.stack(clicked))

    def score(self, history: Sequence[Title], candidate: Title) -> Tensor:
        return self.encode_user(history) @ self.encode_news(candidate)


def bert_config(options: Options) -> BertConfig:
    """A small encoder without dropout."""
    return BertConfig(
        vocab_size=options.news.vocabulary_size, hidden_size=options.bert_width,
        num_hidden_layers=3, num_attention_heads=2, intermediate_size=20,
        max_position_embeddings=24, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )


class PretrainedNews(nn.Module):
    """BERT's rows of a title to one vector: pooling, and a projection to another width."""

    def __init__(self, options: Options) -> None:
        super().__init__()
        self.pooling = Pooling(options.bert_width, options.query_width)
        same = options.bert_width == options.news.width
        self.projection = (
            nn.Identity() if same else nn.Linear(options.bert_width, options.news.width, bias=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        """[n, w] to [d]."""
        return self.projection(self.pooling(x))


class PretrainedTwoTower(TwoTower):
    """plm_nr and fastformer_plm_nr: BERT in place of the words' embedding and their encoder."""

    def __init__(self, options: Options) -> None:
        nn.Module.__init__(self)
        self.options = options
        self.pretrained = BertModel(bert_config(options), add_pooling_layer=False)
        self.pretrained.set_attn_implementation("eager")
        if options.trainable_layers >= 0:
            self.pretrained.requires_grad_(False)
            layers = list(self.pretrained.encoder.layer)
            for layer in layers[len(layers) - options.trainable_layers:]:
                layer.requires_grad_(True)
        self.news = PretrainedNews(options)
        self.user = Tower(options.user, options.query_width)

    def words(self, title: Title) -> Tensor:
        if len(title) == 0:
            return next(self.parameters()).new_zeros((0, self.options.bert_width))
        return self.pretrained(input_ids=torch.tensor([list(title)])).last_hidden_state[0]


class Level(nn.Module):
    """One dilated convolution over words with its layer normalization."""

    def __init__(self, width: int, filters: int, dilation: int) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(width, filters, len(_KERNEL))
        self.normalization = nn.LayerNorm(filters, eps=_EPSILON)
        self.dilation = dilation

    def forward(self, words: list[Tensor]) -> list[Tensor]:
        """The words of a title to as many; beyond its ends there is nothing to add."""
        result = []
        for place in range(len(words)):
            total = self.convolution.bias
            for k, step in enumerate(_KERNEL):
                other = place + step * self.dilation
                if 0 <= other < len(words):
                    total = total + self.convolution.weight[:, :, k] @ words[other]
            result.append(self.normalization(torch.relu(total)))
        return result


def convolve(cube: Tensor, layer: nn.Conv3d) -> Tensor:
    """[c, x, y, z] to [c', x, y, z]: each cell from its 27 neighbours, zero outside of the cube."""
    sizes = cube.shape[1:]
    padded = cube.new_zeros((cube.shape[0], *(size + 2 for size in sizes)))
    padded[:, 1:-1, 1:-1, 1:-1] = cube
    result = layer.bias[:, None, None, None].expand(-1, *sizes)
    for a in range(3):
        for b in range(3):
            for c in range(3):
                part = padded[:, a:a + sizes[0], b:b + sizes[1], c:c + sizes[2]]
                result = result + torch.einsum("oi,ixyz->oxyz", layer.weight[:, :, a, b, c], part)
    return result


def block_maxima(cube: Tensor) -> Tensor:
    """The maximum of each block of 3 x 3 x 3 cells; those at the far edges may be smaller."""
    sizes = [math.ceil(size / _BLOCK) for size in cube.shape[1:]]
    cells = []
    for x in range(sizes[0]):
        for y in range(sizes[1]):
            for z in range(sizes[2]):
                block = cube[:, 3 * x:3 * x + 3, 3 * y:3 * y + 3, 3 * z:3 * z + 3]
                cells.append(block.flatten(1).max(dim=1).values)
    return torch.stack(cells, dim=1).view(cube.shape[0], *sizes)


class Fim(Recommender):
    """Matches words with words on four levels."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        widths = (options.news.width, options.filters, options.filters)
        names = ("1", "2", "3")
        self.levels = nn.ModuleDict(
            {n: Level(w, options.filters, int(n)) for n, w in zip(names, widths)}
        )
        self.cube = nn.ModuleList([nn.Conv3d(4, 32, 3), nn.Conv3d(32, 16, 3)])
        side, depth = (
            math.ceil(math.ceil(size / 3) / 3)
            for size in (options.matched_words, options.matched_items)
        )
        self.scorer = nn.Linear(16 * depth * side * side, 1)

    def title_levels(self, title: Title) -> list[list[Tensor]]:
        """Level by level, the vectors of the words that are matched."""
        words = list(self.words(title)[: self.options.matched_words])
        levels = [words]
        for level in self.levels.values():
            levels.append(level(levels[-1]))
        return levels

    def score(self, history: Sequence[Title], candidate: Title) -> Tensor:
        words, news = self.options.matched_words, self.options.matched_items
        cells = self.embedding.token.weight.new_zeros((4, news, words, words))
        shown = self.title_levels(candidate)
        for k, title in enumerate(history[-news:]):
            clicked = self.title_levels(title)
            for level in range(4):
                for i, one in enumerate(clicked[level]):
                    for j, other in enumerate(shown[level]):
                        cells[level, k, i, j] = one @ other / math.sqrt(len(one))
        for layer in self.cube:
            cells = block_maxima(torch.relu(convolve(cells, layer)))
        return self.scorer(cells.flatten())[0]


def build(options: Options) -> Recommender:
    """The recommender of that name."""
    if options.model.endswith("plm_nr"):
        return PretrainedTwoTower(options)
    return Fim(options) if options.model == "fim" else TwoTower(options)


def loss(scores: Sequence[Tensor]) -> Tensor:
    """The mean over users of -log softmax of the first candidate's score."""
    return torch.stack([torch.logsumexp(s, dim=0) - s[0] for s in scores]).mean()

"""The fastest form of the authors' model in plain PyTorch, as a careful engineer would write it.

The same model and task as authors_form.py, but with our cheaper exact form of the layer, batches of
similar length padded to their longest, a sparse gradient and optimizer for the word embedding, and
torch.compile for the rest.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

import authors_form
import torch
from authors_form import Attention, AuthorsForm, Settings
from torch import Tensor, nn
from torch.nn import functional

_WARM_UP = 10


class CheaperAttention(Attention):
    """The same block: both poolings read the input, so that keys are never formed."""

    @staticmethod
    def pool_rows(x: Tensor, queries: Tensor, mask: Tensor) -> Tensor:
        """x [B, L, d], queries [B or 1, h, d] to [B, h, d]."""
        return torch.softmax(queries @ x.transpose(1, 2) + mask, dim=-1) @ x

    def by_head(self, layer: nn.Linear, pooled: Tensor) -> Tensor:
        """[B, h, d] to [B, d]: head h takes its own rows of the weight."""
        rows = layer.weight.view(self.heads, -1, layer.weight.shape[1])
        return torch.einsum("bhd,hed->bhe", pooled, rows).flatten(1) + layer.bias

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """[B, L, d] to [B, L, d]."""
        queries = (self.scale * self.query_logits.weight @ self.query.weight).unsqueeze(0)
        global_query = self.by_head(self.query, self.pool_rows(x, queries, mask))
        mixed = self.scale * self.key_logits.weight * global_query.unsqueeze(1)
        pooled = self.by_head(self.key, self.pool_rows(x, mixed @ self.key.weight, mask))
        query = self.query(x)
        y = self.transform((global_query * pooled).unsqueeze(1) * query) + query
        return self.normalization(x + self.dropout(self.output(y)))


class CarefulForm(AuthorsForm):
    """The authors' model on the cheaper attention, with sparse gradients for its words."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        for layer in self.encoder["layers"]:
            cheaper = CheaperAttention(settings)
            cheaper.load_state_dict(layer.attention.state_dict())
            layer.attention = cheaper
        self.embedding["token"].sparse = True


def batches_of_similar_length(
    documents: Sequence[Sequence[int]], size: int, generator: torch.Generator
) -> list[list[int]]:
    """Shuffled batches of document numbers; documents are sorted within runs of fifty batches."""
    order = torch.randperm(len(documents), generator=generator).tolist()
    batches = []
    for first in range(0, len(order), 50 * size):
        run = sorted(order[first : first + 50 * size], key=lambda i: len(documents[i]))
        batches += [run[i : i + size] for i in range(0, len(run), size)]
    return [batches[i] for i in torch.randperm(len(batches), generator=generator).tolist()]


def pad_to_longest(documents: Sequence[Sequence[int]]) -> Tensor:
    """[B, length of the longest]."""
    return authors_form.pad(documents, max(1, *map(len, documents)))


def training_speed(
    model: CarefulForm, call: Callable[[Tensor], Tensor], documents: Sequence[Sequence[int]],
    labels: Sequence[int], size: int, steps: int,
) -> float:
    """Real tokens a second of `steps` steps behind the warm-up; `call` is the model, compiled."""
    words_only = list(model.embedding["token"].parameters())
    rest = [p for n, p in model.named_parameters() if not n.startswith("embedding.token.")]
    optimizers = [torch.optim.SparseAdam(words_only, lr=1e-3), torch.optim.Adam(rest, lr=1e-3)]
    model.train()
    speeds = []
    batches = batches_of_similar_length(documents, size, torch.Generator().manual_seed(1))
    for batch in batches[: _WARM_UP + steps]:
        ids = pad_to_longest([documents[i] for i in batch])
        start = time.perf_counter()
        for optimizer in optimizers:
            optimizer.zero_grad()
        functional.cross_entropy(call(ids), torch.tensor([labels[i] for i in batch])).backward()
        for optimizer in optimizers:
            optimizer.step()
        speeds.append((ids != authors_form.PADDING_ID).sum().item() / (time.perf_counter() - start))
    return statistics.median(speeds[_WARM_UP:])


def inference_speed(
    model: CarefulForm, call: Callable[[Tensor], Tensor], documents: Sequence[Sequence[int]],
    size: int,
) -> float:
    """Documents a second of all documents, sorted by their length."""
    model.eval()
    sorted_documents = sorted(documents, key=len)
    batches = [
        pad_to_longest(sorted_documents[i : i + size]) for i in range(0, len(documents), size)
    ]
    with torch.no_grad():
        for ids in batches[:: max(1, len(batches) // _WARM_UP)]:
            call(ids)
        start = time.perf_counter()
        for ids in batches:
            call(ids)
        return len(documents) / (time.perf_counter() - start)

"""The best that PyTorch alone gives for the authors' model: the peer of a careful engineer.

The same model and task as authors_form.py, but with our cheaper exact form of the layer, batches of
similar length padded to their longest, a sparse gradient and optimizer for the word embedding, and
torch.compile for the rest.

Usage: careful_form.py --train FILE... [--threads 2] [--steps 40] [--no-compile]

Prints training tokens a second; padding does not count.
"""

from __future__ import annotations

import argparse
import pathlib
import time
from collections.abc import Iterator, Sequence

import authors_form
import torch
from authors_form import Attention, AuthorsForm, Settings, report_speed
from labelled_text import label_numbers, read_labelled_text, words
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
    documents: Sequence[Sequence[int]], labels: Sequence[int], size: int, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """Shuffled batches; documents are sorted within runs of fifty batches."""
    order = torch.randperm(len(documents), generator=generator).tolist()
    chunks = []
    for first in range(0, len(order), 50 * size):
        run = sorted(order[first : first + 50 * size], key=lambda i: len(documents[i]))
        chunks += [run[i : i + size] for i in range(0, len(run), size)]
    for i in torch.randperm(len(chunks), generator=generator).tolist():
        chosen = [documents[j] for j in chunks[i]]
        length = max(1, max(len(document) for document in chosen))
        yield authors_form.pad(chosen, length), torch.tensor([labels[j] for j in chunks[i]])


def training_speed(
    model: CarefulForm, data: Iterator[tuple[Tensor, Tensor]], steps: int, compiled: bool
) -> list[float]:
    """Real tokens a second of each step behind the warm-up."""
    call = torch.compile(model, dynamic=True) if compiled else model
    words_only = list(model.embedding["token"].parameters())
    rest = [p for n, p in model.named_parameters() if not n.startswith("embedding.token.")]
    optimizers = [torch.optim.SparseAdam(words_only, lr=1e-3), torch.optim.Adam(rest, lr=1e-3)]
    model.train()
    speeds = []
    for _, (ids, labels) in zip(range(_WARM_UP + steps), data):
        start = time.perf_counter()
        for optimizer in optimizers:
            optimizer.zero_grad()
        functional.cross_entropy(call(ids), labels).backward()
        for optimizer in optimizers:
            optimizer.step()
        seconds = time.perf_counter() - start
        speeds.append((ids != 0).sum().item() / seconds)
    return speeds[_WARM_UP:]


def main() -> None:
    """Checks the model against the oracle and prints its speed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", type=pathlib.Path, nargs="+", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--no-compile", dest="compile", action="store_false")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    authors_form.check_against_oracle(CarefulForm)
    train = read_labelled_text(arguments.train)
    classes = sorted(set(train.labels))
    vocabulary = authors_form.build_vocabulary(train.texts, 1)
    settings = Settings(vocabulary_size=len(vocabulary) + 2, classes=len(classes))
    documents = [
        [vocabulary.get(word, 1) for word in words(text)][: settings.length] for text in train.texts
    ]
    data = batches_of_similar_length(
        documents, label_numbers(train.labels, classes), arguments.batch,
        torch.Generator().manual_seed(1),
    )
    report_speed(
        "training",
        training_speed(CarefulForm(settings), data, arguments.steps, arguments.compile),
    )


if __name__ == "__main__":
    main()

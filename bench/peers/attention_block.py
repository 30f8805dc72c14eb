"""Times one attention block with its output projection; contenders take turns in one run.

Contenders: the authors' form of Fastformer (padded, additive mask) and our cheaper form in plain
PyTorch, each eager and compiled; a Transformer block on PyTorch's fused attention; ours, in C++ and, in
fp32, called from PyTorch (fastformer.torch). Width 256, 16 heads, about 16,384 tokens per batch. The
output of every form of additive attention, and for training its gradient of the input, is compared with
the double-precision oracle before anything is timed. With --precision
bf16 the contenders in PyTorch hold weights and rows in bfloat16; ours reads and writes fp32 and
rounds the operands of its products.

Usage: attention_block.py [--lengths 64x256 16x1024 4x4096 1x16384 mix] [--rounds 11] [--threads 2]
       [--precision fp32] [--no-compile] [--alone]

`mix` is a batch of short texts with lengths drawn from 8 to 128; padded contenders pad it to the
longest. Prints a Markdown table: median milliseconds, quartiles, and the median over the rounds of
the ratio to ours.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence

import torch
from child import cpu_model
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch._inductor.exc import InductorError
from torch.nn import functional

_ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(_ROOT / "tests" / "parity"), str(_ROOT / "build" / "release" / "python")]

import oracle  # noqa: E402
from fastformer.torch import AdditiveAttention  # noqa: E402

_WIDTH, _HEADS = 256, 16
_MASKED = -10000.0
_DTYPE = {"fp32": torch.float32, "bf16": torch.bfloat16}
_TOLERANCE = {"fp32": 1e-5, "bf16": 5e-2}
_PROGRAM = _ROOT / "build" / "release" / "bin" / "fastformer_attention_block"


@dataclasses.dataclass(frozen=True)
class Case:
    """Sequences of one batch, ragged and padded, and the gradient that reaches their output."""

    lengths: list[int]
    rows: Tensor  # [T, d]
    gradient: Tensor  # [T, d]

    def pad(self, rows: Tensor) -> Tensor:
        """[T, d] to [B, L, d]."""
        return nn.utils.rnn.pad_sequence(list(rows.split(self.lengths)), batch_first=True)

    def unpad(self, padded: Tensor) -> Tensor:
        """[B, L, d] to [T, d]."""
        return torch.cat([rows[:n] for rows, n in zip(padded, self.lengths)])

    def mask(self) -> Tensor:
        """[B, 1, L]: 0 at tokens, -10000 at padding."""
        positions = torch.arange(max(self.lengths))
        real = positions[None] < torch.tensor(self.lengths)[:, None]
        return (~real).float().unsqueeze(1) * _MASKED


def make_case(lengths: list[int], dtype: torch.dtype) -> Case:
    """Random rows, the same for each type."""
    generator = torch.Generator().manual_seed(1)
    shape = (sum(lengths), _WIDTH)
    rows = torch.randn(shape, generator=generator).to(dtype)
    return Case(lengths, rows, torch.randn(shape, generator=generator).to(dtype))


def make_oracle() -> oracle.Attention:
    """The block in double precision, with weights that let every term count."""
    torch.manual_seed(2)
    attention = oracle.Attention(
        oracle.Options(width=_WIDTH, heads=_HEADS, normalization="none", residual=False)
    ).double()
    with torch.no_grad():
        for parameter in attention.parameters():
            parameter.copy_(torch.randn_like(parameter) / math.sqrt(_WIDTH))
            parameter.copy_(parameter.float())  # what fp32 contenders can hold
    return attention


class AuthorsForm(nn.Module):
    """Section 3.1 as the authors' code computes it: four products a token, padded, masked."""

    def __init__(self, weights: oracle.Attention) -> None:
        super().__init__()
        self.weights = weights
        self.scale = 1.0 / math.sqrt(_WIDTH // _HEADS)

    def pool(self, rows: Tensor, logits: nn.Linear, mask: Tensor) -> Tensor:
        """[B, L, d] to [B, 1, d]."""
        batch, _, width = rows.shape
        weights = torch.softmax(logits(rows).transpose(1, 2) * self.scale + mask, dim=-1)
        split = rows.view(batch, -1, _HEADS, width // _HEADS).transpose(1, 2)
        return (weights.unsqueeze(2) @ split).transpose(1, 2).reshape(batch, 1, width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """[B, L, d] to [B, L, d]."""
        w = self.weights
        query, key = w.query(x), w.key(x)
        mixed = key * self.pool(query, w.query_logits, mask).expand_as(key)
        pooled = self.pool(mixed, w.key_logits, mask)
        return w.output(w.transform(pooled * query) + query)


class CheaperForm(nn.Module):
    """Our algebra in plain PyTorch: pool the input, then one product a token (merged, long
    sequences) or three (shared query, short ones)."""

    def __init__(self, weights: oracle.Attention) -> None:
        super().__init__()
        self.weights = weights

    def pool(self, x: Tensor, queries: Tensor, mask: Tensor) -> Tensor:
        """x [B, L, d], queries [B or 1, h, d] to [B, h, d]."""
        weights = torch.softmax(queries @ x.transpose(1, 2) + mask, dim=-1)
        return weights @ x

    @staticmethod
    def by_head(layer: nn.Linear, pooled: Tensor) -> Tensor:
        """[B, h, d] to [B, d]: head h takes its own rows of the weight."""
        rows = layer.weight.view(_HEADS, -1, _WIDTH)
        return torch.einsum("bhd,hed->bhe", pooled, rows).flatten(1) + layer.bias

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """[B, L, d] to [B, L, d]."""
        w, scale = self.weights, 1.0 / math.sqrt(_WIDTH // _HEADS)
        queries = (scale * w.query_logits.weight @ w.query.weight).unsqueeze(0)
        global_query = self.by_head(w.query, self.pool(x, queries, mask))
        queries = scale * (w.key_logits.weight * global_query.unsqueeze(1)) @ w.key.weight
        global_key = global_query * self.by_head(w.key, self.pool(x, queries, mask))
        if x.shape[1] >= 1.5 * _WIDTH:
            outer = w.output.weight @ w.transform.weight
            direct = w.output.weight @ w.query.weight
            matrices = (outer * global_key.unsqueeze(1)) @ w.query.weight + direct
            constant = w.output(w.transform(global_key * w.query.bias) + w.query.bias)
            return torch.baddbmm(constant.unsqueeze(1), x, matrices.transpose(1, 2))
        query = w.query(x)
        return w.output(w.transform(global_key.unsqueeze(1) * query) + query)


class SoftmaxForm(nn.Module):
    """Multi-head softmax attention on PyTorch's fused kernel, the same number of heads."""

    def __init__(self) -> None:
        super().__init__()
        self.joined, self.output = nn.Linear(_WIDTH, 3 * _WIDTH), nn.Linear(_WIDTH, _WIDTH)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """[B, L, d] to [B, L, d]."""
        batch, length, width = x.shape
        split = self.joined(x).view(batch, length, 3, _HEADS, -1).permute(2, 0, 3, 1, 4)
        seen = None if mask.count_nonzero() == 0 else mask.unsqueeze(1)
        y = functional.scaled_dot_product_attention(*split, attn_mask=seen)
        return self.output(y.transpose(1, 2).reshape(batch, length, width))


class InPyTorch:
    """A contender that PyTorch calls: run() computes the output rows of x."""

    module: nn.Module
    x: Tensor
    gradient: Tensor

    def run(self) -> Tensor:
        """The output for self.x."""
        raise NotImplementedError

    def forward(self) -> float:
        """Seconds of one pass without gradients."""
        with torch.no_grad():
            start = time.perf_counter()
            self.run()
            return time.perf_counter() - start

    def training(self) -> float:
        """Seconds of one pass forward and backward."""
        self.module.zero_grad()
        self.x.grad = None
        self.x.requires_grad_(True)
        start = time.perf_counter()
        self.run().backward(self.gradient)
        return time.perf_counter() - start

    def result(self) -> tuple[Tensor, Tensor]:
        """y and dx as run() has them."""
        self.training()
        with torch.no_grad():
            return self.run(), self.x.grad


class Padded(InPyTorch):
    """A contender on padded rows."""

    def __init__(
        self, module: nn.Module, case: Case, dtype: torch.dtype, compiled: bool = False
    ) -> None:
        self.case = case
        self.module = module.to(dtype)
        self.call = torch.compile(self.module) if compiled else self.module
        self.x, self.gradient = case.pad(case.rows).to(dtype), case.pad(case.gradient).to(dtype)
        self.mask = case.mask().to(dtype)

    def run(self) -> Tensor:
        """[B, L, d]."""
        return self.call(self.x, self.mask)

    def result(self) -> tuple[Tensor, Tensor]:
        """y and dx, [T, d] each."""
        y, gradient = super().result()
        return self.case.unpad(y).float(), self.case.unpad(gradient).float()


class Module(InPyTorch):
    """fastformer.torch.AdditiveAttention: ours, called from PyTorch on ragged rows."""

    def __init__(self, weights: oracle.Attention, case: Case) -> None:
        self.module = AdditiveAttention(_WIDTH, _HEADS, output=True)
        names = {"query_logits": "query_att", "key_logits": "key_att"}
        own = dict(self.module.named_parameters())
        with torch.no_grad():
            for name, parameter in weights.named_parameters():
                layer, part = name.split(".")
                own[f"{names.get(layer, layer)}.{part}"].copy_(parameter)
        self.x, self.gradient = case.rows.clone(), case.gradient
        self.offsets = torch.tensor([0, *case.lengths]).cumsum(0)

    def run(self) -> Tensor:
        """[T, d]."""
        return self.module(self.x, offsets=self.offsets)


class Ours:
    """The program that holds our block, spoken to by lines."""

    def __init__(
        self, weights: oracle.Attention, case: Case, folder: str, options: argparse.Namespace
    ) -> None:
        tensors = {f"attention.{n}": p.detach().contiguous() for n, p in weights.named_parameters()}
        offsets = torch.tensor([0, *case.lengths]).cumsum(0)
        path, self.answer = f"{folder}/case.safetensors", f"{folder}/result.safetensors"
        save_file(
            {**tensors, "x": case.rows, "gradient": case.gradient, "offsets": offsets},
            path, metadata={"heads": str(_HEADS), "width": str(_WIDTH)},
        )
        self.process = subprocess.Popen(
            [_PROGRAM, path, str(options.threads), options.precision],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )

    def ask(self, line: str) -> str:
        """One line there, one back."""
        print(line, file=self.process.stdin, flush=True)
        return self.process.stdout.readline()

    def forward(self) -> float:
        """Seconds of one pass without gradients."""
        return float(self.ask("forward"))

    def training(self) -> float:
        """Seconds of one pass forward and backward."""
        return float(self.ask("training"))

    def result(self) -> tuple[Tensor, Tensor]:
        """y and dx, [T, d] each."""
        self.ask(f"result {self.answer}")
        tensors = load_file(self.answer)
        return tensors["y"], tensors["x.grad"]

    def close(self) -> None:
        """Ends the program."""
        self.process.stdin.close()
        self.process.wait()


def reference(weights: oracle.Attention, case: Case) -> tuple[Tensor, Tensor]:
    """y and dx in double precision."""
    x = case.rows.double().requires_grad_(True)
    y = torch.cat([weights(rows) for rows in x.split(case.lengths)])
    y.backward(case.gradient.double())
    return y.detach(), x.grad


def check(
    name: str, actual: tuple[Tensor, Tensor], expected: tuple[Tensor, Tensor], precision: str
) -> None:
    """Raises RuntimeError unless both parts agree to the rounding of the number format."""
    for part, one, other in zip(("output", "gradient"), actual, expected):
        error = ((one - other).norm() / other.norm()).item()
        if not error < _TOLERANCE[precision]:
            raise RuntimeError(f"{name}: the {part} is off by {error:.3g} of its norm.")


def measure(contenders: dict[str, InPyTorch | Ours], kind: str, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each contender by round.

    Between two contenders the threads of the one before come to rest (they spin for a while), and
    a pass that is not timed wakes those of the next.
    """
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            time.sleep(0.05)
            run_once = getattr(contender, kind)
            run_once()
            times[name].append(1e3 * run_once())
    return times


def report(label: str, kind: str, times: dict[str, list[float]]) -> None:
    """Rows of the Markdown table."""
    ours = times["ours"]
    for name, values in times.items():
        low, middle, high = statistics.quantiles(values, n=4)
        ratio = statistics.median(value / own for value, own in zip(values, ours))
        print(f"| {label} | {kind} | {name} | {middle:.1f} | {low:.1f}-{high:.1f} | {ratio:.2f} |",
              flush=True)


def lengths_of(label: str) -> list[int]:
    """'16x1024' to sixteen lengths of 1024; 'mix' to short texts."""
    if label == "mix":
        generator = torch.Generator().manual_seed(3)
        return torch.randint(8, 129, (240,), generator=generator).tolist()
    count, length = label.split("x")
    return [int(length)] * int(count)


def run(label: str, arguments: argparse.Namespace) -> None:
    """All contenders on one batch."""
    case = make_case(lengths_of(label), torch.float32)
    exact = make_oracle()
    expected = reference(exact, case)
    weights = make_oracle().float()
    with tempfile.TemporaryDirectory() as folder:
        ours = Ours(weights, case, folder, arguments)
        dtype = _DTYPE[arguments.precision]
        contenders: dict[str, InPyTorch | Ours] = {"ours": ours}
        if arguments.precision == "fp32":
            contenders["fastformer.torch"] = Module(weights, case)
        forms: list[tuple[str, Callable[[], nn.Module]]] = [
            ("authors' form", lambda: AuthorsForm(make_oracle().float())),
            ("our form in PyTorch", lambda: CheaperForm(make_oracle().float())),
        ]
        for name, form in forms if not arguments.alone else []:
            contenders[f"{name}, eager"] = Padded(form(), case, dtype)
            if arguments.compile:
                contenders[f"{name}, compiled"] = Padded(form(), case, dtype, compiled=True)
        for name, contender in list(contenders.items()):
            try:
                result = contender.result()
            except InductorError:  # PyTorch 2.13 in bf16: it writes C++ that does not compile
                print(f"{label}, {name}: left out, torch.compile fails", file=sys.stderr)
                del contenders[name]
                continue
            check(name, result, expected, arguments.precision)
        if not arguments.alone:
            contenders["Transformer, fused"] = Padded(SoftmaxForm(), case, dtype)
        for kind in ("forward", "training"):
            report(label, kind, measure(contenders, kind, arguments.rounds))
        ours.close()


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lengths", nargs="+",
                        default=["mix", "64x256", "16x1024", "4x4096", "1x16384"])
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", choices=sorted(_DTYPE), default="fp32")
    parser.add_argument("--no-compile", dest="compile", action="store_false")
    parser.add_argument("--alone", action="store_true", help="only ours, without its peers")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    print(f"{cpu_model()}, {options.threads} threads, PyTorch {torch.__version__}, "
          f"{options.precision}")
    print("\n| sequences | pass | contender | ms, median | quartiles | times ours |")
    print("|---|---|---|---|---|---|")
    for label in options.lengths:
        run(label, options)


if __name__ == "__main__":
    main()

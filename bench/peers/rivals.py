"""Times each rival of additive attention against its best public implementation, in one run.

| mixer | peer |
|---|---|
| softmax | PyTorch's scaled_dot_product_attention |
| sliding_window | transformers' LongformerSelfAttention |
| block_sparse | transformers' BigBirdBlockSparseAttention |
| low_rank | LinformerSelfAttention of the package linformer |
| linear | SelfAttention of the package linear-attention-transformer |

The Poolingformer has no public implementation for a CPU. Width 256, 16 heads, 16,384 tokens per
batch in sequences of one length, which the peers need: none is padded. What the peers lack (the
output layer, in the two of transformers) ours lacks too. Before anything is timed, our mixer is
compared at 512 tokens with the double-precision oracle of tests/parity, which the tests there
compare with the peers' code.

Usage: rivals.py [--lengths 512 2048 8192] [--rounds 5] [--threads 2] [--mixers softmax ...]

Prints a Markdown table: median milliseconds of both, quartiles, and the median over the rounds of the
peer's time divided by ours.
"""

from __future__ import annotations

import argparse
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence

import torch
from attention_block import cpu_model
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

_ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(_ROOT / "tests" / "parity"))

import mixer_oracle  # noqa: E402
from oracle import Options, fill_parameters  # noqa: E402

_WIDTH, _HEADS, _TOKENS = 256, 16, 16384
_CHECKED_LENGTH, _TOLERANCE = 512, 1e-5
_WINDOW, _GLOBAL, _BLOCK, _PROJECTION = 64, 8, 16, 64
_PROGRAM = _ROOT / "build" / "release" / "bin" / "fastformer_attention_block"

Fields = dict[str, object]
_ENCODER_FIELDS = ("width", "heads", "output_projection")

# The same work as the peer's: BigBird's own has three random blocks, a global one at both ends.
_FIELDS: dict[str, Fields] = {
    "softmax": {},
    "sliding_window": {"window": _WINDOW, "global_tokens": _GLOBAL, "output_projection": False},
    "block_sparse": {
        "block_size": _BLOCK, "window": 3 * _BLOCK, "global_tokens": 2 * _BLOCK,
        "random_tokens": 3 * _BLOCK, "output_projection": False,
    },
    "low_rank": {"projection": _PROJECTION},
    "linear": {},
}


def key(field: str) -> str:
    """The key of one of the oracle's options in the section that our program reads."""
    if field in _ENCODER_FIELDS:
        return field
    return "mixer.name" if field == "mixer" else f"mixer.{field}"


class Ours:
    """The program that holds our mixer, spoken to by lines."""

    def __init__(self, mixer: str, length: int, folder: str, threads: int) -> None:
        fields = {"width": _WIDTH, "heads": _HEADS, "mixer": mixer} | _FIELDS[mixer]
        fields |= {"projection_length": length} if mixer == "low_rank" else {}
        self.length = length
        model = mixer_oracle.build(Options(**fields)).double()
        fill_parameters(model, 5)
        self.oracle = model.encoder.layers[0].attention.float().double()
        self.oracle.name = "attention"
        state = self.oracle.state_dict().items()
        self.rows = torch.randn(_TOKENS, _WIDTH, generator=torch.Generator().manual_seed(1))
        path, self.answer = f"{folder}/case.safetensors", f"{folder}/result.safetensors"
        tensors = {
            f"attention.{n}": p.float().contiguous() for n, p in state if "normalization" not in n
        }
        save_file(
            tensors | {
                "x": self.rows, "gradient": torch.ones_like(self.rows),
                "offsets": torch.arange(0, _TOKENS + 1, length),
            },
            path, metadata={key(name): str(value).lower() for name, value in fields.items()},
        )
        self.process = subprocess.Popen(
            [_PROGRAM, path, str(threads), "fp32"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )

    def ask(self, line: str) -> str:
        """One line there, one back."""
        print(line, file=self.process.stdin, flush=True)
        return self.process.stdout.readline()

    def check(self) -> None:
        """Raises RuntimeError unless the first sequence is as the oracle has it."""
        self.ask(f"result {self.answer}")
        x = self.rows[: self.length].double().requires_grad_(True)
        expected = self.oracle(x)
        expected.sum().backward()
        result = load_file(self.answer)
        for part, exact in (("y", expected.detach()), ("x.grad", x.grad)):
            ours = result[part][: self.length].double()
            error = ((ours - exact).norm() / exact.norm()).item()
            if not error < _TOLERANCE:
                raise RuntimeError(f"{self.oracle.options.mixer}: {part} is off by {error:.3g}.")

    def forward(self) -> float:
        """Seconds of one pass without gradients."""
        return float(self.ask("forward"))

    def training(self) -> float:
        """Seconds of one pass forward and backward."""
        return float(self.ask("training"))

    def close(self) -> None:
        """Ends the program."""
        self.process.stdin.close()
        self.process.wait()


class Peer:
    """Another implementation: rows [B, n, d] to rows."""

    def __init__(self, module: nn.Module, call: Callable[[Tensor], Tensor], length: int) -> None:
        self.module, self.call = module.eval(), call
        self.x = torch.randn(_TOKENS // length, length, _WIDTH)

    def forward(self) -> float:
        """Seconds of one pass without gradients."""
        with torch.no_grad():
            start = time.perf_counter()
            self.call(self.x)
            return time.perf_counter() - start

    def training(self) -> float:
        """Seconds of one pass forward and backward."""
        self.module.zero_grad()
        x = self.x.detach().requires_grad_(True)
        start = time.perf_counter()
        y = self.call(x)
        y.backward(torch.ones_like(y))
        return time.perf_counter() - start


class FusedSoftmax(nn.Module):
    """Multi-head attention on PyTorch's fused kernel."""

    def __init__(self) -> None:
        super().__init__()
        self.joined, self.output = nn.Linear(_WIDTH, 3 * _WIDTH), nn.Linear(_WIDTH, _WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        """[B, n, d] to [B, n, d]."""
        batch, length, width = x.shape
        split = self.joined(x).view(batch, length, 3, _HEADS, -1).permute(2, 0, 3, 1, 4)
        y = functional.scaled_dot_product_attention(*split)
        return self.output(y.transpose(1, 2).reshape(batch, length, width))


def softmax_peer(length: int) -> Peer:
    """PyTorch."""
    module = FusedSoftmax()
    return Peer(module, module, length)


def sliding_window_peer(length: int) -> Peer:
    """Longformer of transformers; its first tokens are global."""
    from transformers import LongformerConfig
    from transformers.models.longformer.modeling_longformer import LongformerSelfAttention

    config = LongformerConfig(
        hidden_size=_WIDTH, num_attention_heads=_HEADS, attention_window=[_WINDOW],
        attention_probs_dropout_prob=0.0,
    )
    module = LongformerSelfAttention(config, layer_id=0)
    marks = torch.zeros(_TOKENS // length, length)
    marks[:, :_GLOBAL] = 10000.0

    def call(x: Tensor) -> Tensor:
        return module(
            x, attention_mask=marks, is_index_masked=marks < 0, is_index_global_attn=marks > 0,
            is_global_attn=True,
        )[0]

    return Peer(module, call, length)


def block_sparse_peer(length: int) -> Peer:
    """BigBird of transformers."""
    from transformers import BigBirdConfig
    from transformers.models.big_bird import modeling_big_bird as big_bird

    config = BigBirdConfig(
        hidden_size=_WIDTH, num_attention_heads=_HEADS, block_size=_BLOCK, num_random_blocks=3,
        max_position_embeddings=max(4096, length),
    )
    module = big_bird.BigBirdBlockSparseAttention(config, seed=3)
    ones = torch.ones(_TOKENS // length, length)
    masks = big_bird.BigBirdModel.create_masks_for_block_sparse_attn(ones, _BLOCK)
    blocked, band, of_query, of_key = masks
    return Peer(
        module, lambda x: module(x, band, of_query, of_key, blocked, blocked)[0], length
    )


def low_rank_peer(length: int) -> Peer:
    """The package linformer."""
    from linformer import LinformerSelfAttention

    module = LinformerSelfAttention(_WIDTH, length, k=_PROJECTION, heads=_HEADS)
    return Peer(module, module, length)


def linear_peer(length: int) -> Peer:
    """The package linear-attention-transformer."""
    from linear_attention_transformer.linear_attention_transformer import SelfAttention

    module = SelfAttention(_WIDTH, _HEADS)
    return Peer(module, module, length)


_PEERS: dict[str, Callable[[int], Peer]] = {
    "softmax": softmax_peer,
    "sliding_window": sliding_window_peer,
    "block_sparse": block_sparse_peer,
    "low_rank": low_rank_peer,
    "linear": linear_peer,
}


def measure(contenders: Sequence[Ours | Peer], kind: str, rounds: int) -> list[list[float]]:
    """Milliseconds of each contender by round, in turns, each after a pass that is not timed."""
    times: list[list[float]] = [[] for _ in contenders]
    for _ in range(rounds):
        for values, contender in zip(times, contenders):
            time.sleep(0.05)  # until the threads of the one before come to rest
            run_once = getattr(contender, kind)
            run_once()
            values.append(1e3 * run_once())
    return times


def spread(values: list[float]) -> str:
    """Median and quartiles."""
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:.1f} ({low:.1f}-{high:.1f})"


def run(mixer: str, length: int, options: argparse.Namespace) -> None:
    """Two rows of the table."""
    with tempfile.TemporaryDirectory() as folder:
        ours = Ours(mixer, length, folder, options.threads)
        peer = _PEERS[mixer](length)
        for kind in ("forward", "training"):
            own, theirs = measure((ours, peer), kind, options.rounds)
            ratio = statistics.median(other / one for one, other in zip(own, theirs))
            print(f"| {mixer} | {length} | {kind} | {spread(own)} | {spread(theirs)} | {ratio:.2f} |",
                  flush=True)
        ours.close()


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lengths", nargs="+", type=int, default=[512, 2048, 8192])
    parser.add_argument("--mixers", nargs="+", choices=sorted(_PEERS), default=list(_PEERS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    for mixer in options.mixers:
        with tempfile.TemporaryDirectory() as folder:
            ours = Ours(mixer, _CHECKED_LENGTH, folder, options.threads)
            ours.check()
            ours.close()
    print(f"{cpu_model()}, {options.threads} threads, PyTorch {torch.__version__}, fp32, "
          f"{_TOKENS} tokens, width {_WIDTH}, {_HEADS} heads\n")
    print("| mixer | length | pass | ours, ms | peer, ms | peer / ours |")
    print("|---|---|---|---|---|---|")
    for mixer in options.mixers:
        for length in options.lengths:
            run(mixer, length, options)


if __name__ == "__main__":
    main()

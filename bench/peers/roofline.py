"""Draws the roofline of one core and the kernels below it, from the JSON of Google Benchmark.

Usage: roofline.py KERNELS.json OUTPUT    writes OUTPUT.svg and OUTPUT.png

A kernel that does `a` operations for each byte it moves cannot be faster than the smaller of the
peak of arithmetic and `a` times the peak of memory (Williams, Waterman, Patterson 2009). Kernels
above the slope find their operands in the caches.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import pathlib
import statistics
from collections.abc import Iterable

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

_LABELS = {
    "product/y": "y = x Wᵀ",
    "product/dx": "dx = g W",
    "product/dw": "dW = gᵀ x",
    "product/small": "y = x Wᵀ, 1,024 rows",
    "blas": "y = x Wᵀ by MKL",
    "row_pooling/16384/16": "pooling, 16 heads",
    "row_pooling_backward/16384/16": "pooling backward",
    "layer_norm_block": "layer norm",
    "gelu_block": "GELU",
    "dropout_block": "residual + dropout",
}


@dataclasses.dataclass(frozen=True)
class Kernel:
    """Medians of one benchmark."""

    flops: float  # a second
    bytes: float  # a second


def read_kernels(path: pathlib.Path) -> dict[str, Kernel]:
    """Name to rates; the repetitions of a benchmark are reduced to their median."""
    runs: dict[str, list[Kernel]] = {}
    for row in json.loads(path.read_text())["benchmarks"]:
        if row["run_type"] == "iteration":
            kernel = Kernel(row["FLOP/s"], row["B/s"])
            runs.setdefault(row["run_name"], []).append(kernel)
    return {
        name: Kernel(
            statistics.median(kernel.flops for kernel in kernels),
            statistics.median(kernel.bytes for kernel in kernels),
        )
        for name, kernels in runs.items()
    }


def cpu_model() -> str:
    """The first model name of /proc/cpuinfo."""
    lines: Iterable[str] = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    return next(line.split(": ")[1] for line in lines if line.startswith("model name"))


def draw(kernels: dict[str, Kernel], output: pathlib.Path) -> None:
    """One log-log picture."""
    peak, memory = kernels["peak_arithmetic"].flops, kernels["peak_memory"].bytes
    figure, axes = pyplot.subplots(figsize=(8, 5), layout="constrained")
    intensities = [2**i for i in range(-4, 9)]
    axes.plot(intensities, [min(peak, a * memory) / 1e9 for a in intensities], color="black")
    axes.annotate(f"multiply-add, {peak / 1e9:.0f} GFLOP/s", (intensities[-1], peak / 1e9),
                  textcoords="offset points", xytext=(0, 5), ha="right")
    axes.annotate(f"copying memory, {memory / 1e9:.0f} GB/s", (0.3, 0.3 * memory / 1e9),
                  textcoords="offset points", xytext=(-8, -24))
    for index, (name, label) in enumerate(_LABELS.items()):
        kernel = kernels[name]
        axes.plot(kernel.flops / kernel.bytes, kernel.flops / 1e9, f"C{index}",
                  marker="osD^vPX*<>"[index], linestyle="",
                  label=f"{label}: {100 * kernel.flops / peak:.0f} %")
    axes.set(xscale="log", yscale="log", xlabel="operations for each byte of operands",
             ylabel="GFLOP/s of one core",
             title=f"{cpu_model()}: kernels against the peaks measured beside them")
    axes.grid(which="both", alpha=0.2)
    axes.legend(title="share of the arithmetic peak", loc="lower right", fontsize="small")
    for ending in ("svg", "png"):
        figure.savefig(output.with_suffix(f".{ending}"), dpi=120)


def main() -> None:
    """Reads and draws."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kernels", type=pathlib.Path)
    parser.add_argument("output", type=pathlib.Path)
    arguments = parser.parse_args()
    draw(read_kernels(arguments.kernels), arguments.output)


if __name__ == "__main__":
    main()

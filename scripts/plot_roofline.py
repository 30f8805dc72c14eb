"""Draws the roofline of one core and the kernels below it, from the JSON of Google Benchmark. Called
by plot_results.py.

A kernel that does `a` operations per byte that it moves cannot be faster than the smaller of the
peak of arithmetic and `a` times the peak of memory (Williams, Waterman, Patterson 2009). Kernels
above the slope find their operands in the caches.
"""

from __future__ import annotations

import dataclasses
import math
import statistics
from typing import Any

from matplotlib import pyplot
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from plot_style import ACCENT, GREY, spread

# Name of the benchmark: label, and its offset from the marker in points; None: in the right margin.
_LABELS: dict[str, tuple[str, tuple[int, int] | None]] = {
    "product/small": ("product, 1,024 rows", None),
    "product/dx": ("product backward, dx", None),
    "product/y": ("product", None),
    "product/dw": ("product backward, dW", None),
    "blas": ("product by MKL", None),
    "row_pooling/16384/16": ("pooling, 16 heads", (24, -42)),
    "row_pooling_backward/16384/16": ("pooling backward", (10, -24)),
    "layer_norm_block": ("layer norm", (-65, 0)),
    "gelu_block": ("GELU", (48, 0)),
    "dropout_block": ("residual + dropout", (-86, 0)),
}


@dataclasses.dataclass(frozen=True)
class Kernel:
    """Medians of one benchmark."""

    flops: float  # per second
    bytes: float  # per second


def read_kernels(benchmarks: list[dict[str, Any]]) -> dict[str, Kernel]:
    """Name to rates; the repetitions of a benchmark are reduced to their median."""
    runs: dict[str, list[Kernel]] = {}
    for row in benchmarks:
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


def plot_roofline(kernels: dict[str, Kernel], title: str | None) -> Figure:
    """One log-log picture."""
    peak, memory = kernels["peak_arithmetic"].flops, kernels["peak_memory"].bytes
    figure, axes = pyplot.subplots(figsize=(9.5, 5.2), layout="constrained")
    limits = (4.0, 1.5 * peak / 1e9)
    edge = peak / memory
    axes.plot([1 / 16, edge, 200], [memory / 16e9, peak / 1e9, peak / 1e9], color="black")
    axes.annotate(f"peak of arithmetic: {peak / 1e9:.0f} GFLOP/s", (edge, peak / 1e9), (-30, 6),
                  textcoords="offset points")  # fmt: skip
    axes.annotate(f"peak of memory: {memory / 1e9:.0f} GB/s;\nabove this line, operands\ncome from "
                  "the caches", (0.4, 0.4 * memory / 1e9), (14, -2), textcoords="offset points",
                  va="top")  # fmt: skip
    places = {name: (row.flops / row.bytes, row.flops / 1e9) for name, row in kernels.items()
              if name in _LABELS}  # fmt: skip
    margin = sorted((name for name in places if _LABELS[name][1] is None),
                    key=lambda name: places[name][1])  # fmt: skip
    height = math.log(limits[1] / limits[0])
    at = spread([math.log(places[name][1] / limits[0]) / height for name in margin], 0.055)
    for name, place in places.items():
        label, offset = _LABELS[name]
        colour = GREY if name == "blas" else ACCENT
        axes.plot(*place, "X" if name == "blas" else "o", color=colour, markersize=7,
                  markeredgecolor="white", markeredgewidth=0.6)  # fmt: skip
        axes.annotate(
            f"{label} ({100 * kernels[name].flops / peak:.0f} %)",
            place,
            offset or (1.02, at[margin.index(name)]),
            textcoords="offset points" if offset else "axes fraction",
            ha="center" if offset else "left",
            va="center",
            arrowprops={"arrowstyle": "-", "color": "0.7", "linewidth": 0.7, "shrinkB": 4,
                        "relpos": (0.5, 0.5) if offset else (0, 0.5)},
        )
    axes.set(xscale="log", yscale="log", xlim=(0.006, 200), ylim=limits,
             xlabel="operations per byte of operands", ylabel="GFLOP/s")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.grid(color="0.9")
    axes.set_title(title or "GFLOP/s of kernels on one core, in brackets the % of the peak")
    return figure

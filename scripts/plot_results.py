"""Draws the results of an experiment (JSON) or of an efficiency benchmark (CSV) as SVG and PNG.

Called by scripts/plot. Colours are those of Okabe and Ito, which people with any kind of colour
vision tell apart; nothing is told by colour alone.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import json
import pathlib
import sys
import textwrap
from collections.abc import Sequence
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402  (the backend comes first)
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

_COLOURS = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#999999", "#F0E442",
)  # fmt: skip
_MARKERS = "osD^vPX*"
_HATCHES = ("", "//", "..", "xx")
_TITLES = {
    "accuracy": "accuracy, %", "macro_f1": "macro-F1, %", "auc": "AUC, %", "mrr": "MRR, %",
    "ndcg_5": "nDCG@5, %", "ndcg_10": "nDCG@10, %", "rouge_1": "ROUGE-1, %",
    "rouge_2": "ROUGE-2, %", "rouge_l": "ROUGE-L, %", "rouge_lsum": "ROUGE-Lsum, %",
    "loss": "loss, nats",
}  # fmt: skip
_COLUMNS = ("mixer", "pass", "length", "precision", "threads", "milliseconds_per_layer",
            "low", "high", "status")  # fmt: skip

# The same input gives the same files, and an SVG keeps its text as text.
pyplot.rcParams.update(
    {
        "svg.hashsalt": "fastformer",
        "svg.fonttype": "none",
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
    }
)


@dataclasses.dataclass(frozen=True)
class Bar:
    """One variant's score on one data set, in the units of the axis."""

    name: str
    mean: float | None
    deviation: float
    values: tuple[float, ...]
    paper: float | None


@dataclasses.dataclass(frozen=True)
class Measurement:
    """One row of an efficiency benchmark; without a time where it was not measured."""

    mixer: str
    direction: str
    length: int
    precision: str
    threads: str
    milliseconds: float | None
    low: float
    high: float
    status: str


def read_bars(data: dict[str, Any], metric: str) -> list[Bar]:
    """The bars of one panel, in the order of the experiment's file."""
    scale = 1.0 if metric == "loss" else 100.0
    bars = []
    for variant in data["variants"]:
        score = variant["metrics"][metric]
        paper = variant.get("paper_percent", {}).get(metric)
        if score is None:
            bars.append(Bar(variant["name"], None, 0.0, (), paper))
            continue
        bars.append(
            Bar(
                variant["name"],
                scale * score["mean"],
                scale * (score["deviation"] or 0.0),
                tuple(scale * value for value in score["values"]),
                paper,
            )
        )
    return bars


def is_begun(data: dict[str, Any]) -> bool:
    """Whether there is a bar to draw for a data set."""
    scores = [score for variant in data["variants"] for score in variant["metrics"].values()]
    return any(score is not None for score in scores)


def vertical_range(bars: Sequence[Bar]) -> tuple[float, float]:
    """From 0 unless all is so high above it that differences could not be seen."""
    points = [p for bar in bars for p in (*bar.values, bar.paper) if p is not None]
    points += [
        bar.mean + sign * bar.deviation for bar in bars if bar.mean is not None for sign in (-1, 1)
    ]
    if not points:
        return 0.0, 1.0
    low, high = min(points), max(points)
    room = max(high - low, 0.02 * high)
    bottom = low - 0.6 * room
    return (max(bottom, 0.0) if bottom > 0.25 * high else 0.0), high + 0.35 * room


def draw_bars(axes: Axes, bars: Sequence[Bar], style: str) -> None:
    """A panel, its numbers in that style: bars with deviations, a dot for each seed, a diamond for the paper's figure."""
    bottom, top = vertical_range(bars)
    for i, bar in enumerate(bars):
        if bar.paper is not None:
            axes.plot(i, bar.paper, "D", color="white", markeredgecolor="black", zorder=4)
        if bar.mean is None:
            middle = bottom + 0.05 * (top - bottom)
            axes.text(i, middle, "missing", rotation=90, ha="center", va="bottom", color="0.4")
            continue
        axes.bar(
            i,
            bar.mean - bottom,
            bottom=bottom,
            width=0.8,
            color=_COLOURS[i % len(_COLOURS)],
            hatch=_HATCHES[i // len(_COLOURS) % len(_HATCHES)],
            edgecolor="black",
            linewidth=0.6,
        )
        if len(bar.values) > 1:
            axes.errorbar(i, bar.mean, bar.deviation, color="black", capsize=3, linewidth=1)
            xs = [i + 0.5 * (s / (len(bar.values) - 1) - 0.5) for s in range(len(bar.values))]
            axes.plot(xs, bar.values, "o", markersize=2.5, color="white", markeredgecolor="black",
                      markeredgewidth=0.5, zorder=3)  # fmt: skip
        highest = max(bar.mean + bar.deviation, *bar.values, bar.paper or bottom)
        axes.annotate(f"{bar.mean:{style}}", (i, highest), (0, 4), textcoords="offset points",
                      ha="center", va="bottom", fontsize=7)  # fmt: skip
    axes.set_ylim(bottom, top)
    axes.set_xlim(-0.6, len(bars) - 0.4)
    axes.set_xticks(range(len(bars)), [bar.name for bar in bars], rotation=40, ha="right",
                    rotation_mode="anchor")  # fmt: skip
    axes.grid(axis="y", color="0.9")


def plot_experiment(results: dict[str, Any]) -> Figure:
    """A row of panels a metric, a column a data set on which a training is finished."""
    metrics = results["metrics"]
    data_sets = [data for data in results["data"] if is_begun(data)] or results["data"]
    variants = max(len(data["variants"]) for data in data_sets)
    figure, grid = pyplot.subplots(
        len(metrics),
        len(data_sets),
        figsize=(max(1.6 + 0.42 * variants, 2.6) * len(data_sets), 2.9 * len(metrics)),
        squeeze=False,
        layout="constrained",
    )
    cut, paper = False, False
    for row, metric in zip(grid, metrics, strict=True):
        for axes, data in zip(row, data_sets, strict=True):
            bars = read_bars(data, metric)
            draw_bars(axes, bars, ".3f" if metric == "loss" else ".2f")
            cut = cut or axes.get_ylim()[0] > 0
            paper = paper or any(bar.paper is not None for bar in bars)
            if metric == metrics[0]:
                axes.set_title(data["name"])
        row[0].set_ylabel(_TITLES[metric])
    notes = ["bars: mean and standard deviation over the seeds", "dots: each seed"]
    if paper:
        notes.append("diamonds: the paper")
    if cut:
        notes.append("axes may begin above 0")
    figure.suptitle(results["experiment"], fontweight="bold")
    width = int(18 * figure.get_figwidth())  # letters of this size that fit beside each other
    figure.supxlabel(textwrap.fill("; ".join(notes), width), fontsize=7, color="0.3")
    return figure


def read_measurements(path: pathlib.Path) -> list[Measurement]:
    """The rows of the CSV file. Raises ValueError that names what is wrong with it."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        absent = [name for name in _COLUMNS if name not in (rows.fieldnames or ())]
        if absent:
            raise ValueError(f"{path}:1: has no column '{absent[0]}'")
        result = []
        for row in rows:
            try:
                # The status comes last and may hold commas.
                status = ",".join([row["status"] or "", *(row.get(None) or [])])
                measured = status == "measured"
                result.append(
                    Measurement(
                        row["mixer"],
                        row["pass"],
                        int(row["length"]),
                        row["precision"],
                        row["threads"],
                        float(row["milliseconds_per_layer"]) if measured else None,
                        float(row["low"]),
                        float(row["high"]),
                        status,
                    )
                )
            except ValueError as error:
                raise ValueError(f"{path}:{rows.line_num}: {error}") from error
    if not result:
        raise ValueError(f"{path}: holds no measurement")
    return result


def plot_lines(axes: Axes, rows: Sequence[Measurement], mixers: Sequence[str]) -> None:
    """A panel: a line a mixer, its band from low to high."""
    for i, mixer in enumerate(mixers):
        line = sorted(
            (row for row in rows if row.mixer == mixer and row.milliseconds is not None),
            key=lambda row: row.length,
        )
        lengths = [row.length for row in line]
        style = {"color": _COLOURS[i % len(_COLOURS)]}
        axes.plot(
            lengths,
            [row.milliseconds for row in line],
            marker=_MARKERS[i % len(_MARKERS)],
            linestyle=("-", "--", ":")[i // len(_COLOURS) % 3],
            markersize=5,
            markeredgecolor="black",
            markeredgewidth=0.4,
            label=mixer,
            **style,
        )
        axes.fill_between(lengths, [r.low for r in line], [r.high for r in line], alpha=0.2,
                          linewidth=0, **style)  # fmt: skip
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    every = sorted({row.length for row in rows})
    axes.set_xticks(every, [f"{length:,}" for length in every], rotation=40, ha="right",
                    rotation_mode="anchor")  # fmt: skip
    axes.minorticks_off()
    axes.grid(color="0.9")
    axes.set_xlabel("length of a text, tokens")


def unmeasured(rows: Sequence[Measurement]) -> list[str]:
    """A sentence for each line that ends early: "softmax forward: no 16,384 (too slow)"."""
    gaps: dict[tuple[str, str, str], list[int]] = {}
    for row in rows:
        if row.milliseconds is None:
            gaps.setdefault((row.mixer, row.direction, row.status), []).append(row.length)
    return [
        f"{mixer}, {direction}: no {', '.join(f'{length:,}' for length in sorted(lengths))}"
        + (f" ({status})" if status else "")
        for (mixer, direction, status), lengths in gaps.items()
    ]


def plot_efficiency(rows: Sequence[Measurement]) -> Figure:
    """A panel a pass, for the rows of one precision and one number of threads."""
    directions = list(dict.fromkeys(row.direction for row in rows))
    mixers = list(dict.fromkeys(row.mixer for row in rows))
    figure, grid = pyplot.subplots(
        1,
        len(directions),
        figsize=(1.6 + 4.2 * len(directions), 4.2),
        squeeze=False,
        sharey=True,
        layout="constrained",
    )
    for axes, direction in zip(grid[0], directions, strict=True):
        plot_lines(axes, [row for row in rows if row.direction == direction], mixers)
        axes.set_title(direction)
    grid[0][0].set_ylabel("milliseconds a layer")
    handles, labels = grid[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center", frameon=False)
    threads = rows[0].threads
    figure.suptitle(
        f"{rows[0].precision}, {threads} {'thread' if threads == '1' else 'threads'}",
        fontweight="bold",
    )
    notes = unmeasured(rows)
    if notes:
        figure.supxlabel("not measured: " + "; ".join(notes), fontsize=7, color="0.3", wrap=True)
    return figure


def save(figure: Figure, path: pathlib.Path) -> None:
    """Writes `path`.svg and `path`.png."""
    for ending in ("svg", "png"):
        name = path.with_name(f"{path.name}.{ending}")
        metadata = {"Date": None} if ending == "svg" else None
        figure.savefig(name, dpi=200, metadata=metadata)
        print(name)
    pyplot.close(figure)


def plot(path: pathlib.Path, folder: pathlib.Path, name: str | None = None) -> None:
    """Draws a results.json or an efficiency CSV into the folder, under the name or its own."""
    folder.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".json":
        results = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(results, dict) or not {"metrics", "data"} <= results.keys():
            raise ValueError(f"{path}: is no results.json of `fastformer experiment`")
        save(plot_experiment(results), folder / (name or results["experiment"]))
        return
    rows = read_measurements(path)
    settings = dict.fromkeys((row.precision, row.threads) for row in rows)
    for precision, threads in settings:
        chosen = [row for row in rows if (row.precision, row.threads) == (precision, threads)]
        save(plot_efficiency(chosen), folder / f"{name or path.stem}-{precision}-{threads}")


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(description="Draw results as SVG and PNG.")
    parser.add_argument("file", type=pathlib.Path, help="results.json or an efficiency CSV")
    parser.add_argument("--output", type=pathlib.Path, help="a folder (default: that of the file)")
    parser.add_argument("--name", help="of the pictures (default: the experiment's, or the CSV's)")
    arguments = parser.parse_args()
    try:
        plot(arguments.file, arguments.output or arguments.file.parent, arguments.name)
    except (OSError, ValueError) as error:
        print(f"plot: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Draws times against lengths. Called by plot_results.py."""

from __future__ import annotations

import csv
import dataclasses
import math
import pathlib
from collections.abc import Sequence

from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator

from plot_style import ACCENT, GREY, MODELS, spread

_COLUMNS = ("mixer", "pass", "length", "precision", "threads", "milliseconds_per_layer",
            "low", "high", "status")  # fmt: skip
_MARKERS = dict(zip(MODELS, "oXPsv^D", strict=True))


@dataclasses.dataclass(frozen=True)
class Measurement:
    """One row of the CSV file; without a time if it was not measured."""

    mixer: str
    direction: str
    length: int
    precision: str
    threads: str
    milliseconds: float | None
    low: float
    high: float
    status: str


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
                measured = status in ("measured", "measured once")
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
        raise ValueError(f"{path}: contains no measurements")
    return result


def label_lines(axes: Axes, ends: list[tuple[str, float]], last: int) -> None:
    """Names the lines that reach the last length, at their right ends, from bottom to top."""
    low, high = (math.log(limit) for limit in axes.get_ylim())
    ends = sorted(ends, key=lambda end: end[1])
    places = spread([math.log(height) for _, height in ends], 0.055 * (high - low))
    for (mixer, height), place in zip(ends, places, strict=True):
        accent = mixer == "additive"
        axes.annotate(
            MODELS.get(mixer, mixer),
            (last, height),
            (1.06, (place - low) / (high - low)),
            textcoords="axes fraction",
            va="center",
            color=ACCENT if accent else "black",
            fontweight="bold" if accent else "normal",
            arrowprops={"arrowstyle": "-", "color": "0.7", "linewidth": 0.7, "shrinkB": 5,
                        "relpos": (0, 0.5)},
        )


def plot_lines(axes: Axes, rows: Sequence[Measurement]) -> None:
    """A panel: a line per mixer, its band from low to high."""
    lengths = sorted({row.length for row in rows})
    ends = []
    for mixer in dict.fromkeys(row.mixer for row in rows):
        line = sorted(
            (row for row in rows if row.mixer == mixer and row.milliseconds is not None),
            key=lambda row: row.length,
        )
        if not line:
            continue
        accent = mixer == "additive"
        at = [row.length for row in line]
        times = [row.milliseconds for row in line if row.milliseconds is not None]
        colour = ACCENT if accent else GREY
        axes.plot(at, times, color=colour, marker=_MARKERS.get(mixer, "o"), markersize=6,
                  linewidth=2.4 if accent else 1.2, zorder=3 if accent else 2)  # fmt: skip
        axes.fill_between(at, [row.low for row in line], [row.high for row in line], alpha=0.2,
                          linewidth=0, color=colour)  # fmt: skip
        if at[-1] == lengths[-1]:
            ends.append((mixer, times[-1]))
        else:
            axes.annotate(f"{MODELS.get(mixer, mixer)}\n(longer: skipped)", (at[-1], times[-1]),
                          (7, 0), textcoords="offset points", va="center")  # fmt: skip
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(lengths, [f"{length:,}" for length in lengths], rotation=40, ha="right",
                    rotation_mode="anchor")  # fmt: skip
    axes.set_ylim(top=1.4 * axes.get_ylim()[1])
    axes.minorticks_off()
    axes.grid(color="0.9")
    axes.set_xlabel("tokens per sequence")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}" if value >= 1 else f"{value:g}"))
    axes.tick_params(axis="y", labelleft=True)
    label_lines(axes, ends, lengths[-1])


def plot_efficiency(rows: Sequence[Measurement], title: str | None) -> Figure:
    """A panel per pass, for the rows of one precision and one number of threads."""
    directions = list(dict.fromkeys(row.direction for row in rows))
    figure, grid = pyplot.subplots(
        1,
        len(directions),
        figsize=(5.8 * len(directions), 4.6),
        squeeze=False,
        layout="constrained",
    )
    for axes, direction in zip(grid[0], directions, strict=True):
        plot_lines(axes, [row for row in rows if row.direction == direction])
        axes.set_title(direction, loc="left", fontweight="bold")
    grid[0][0].set_ylabel("milliseconds per layer")
    threads = "1 thread" if rows[0].threads == "1" else f"{rows[0].threads} threads"
    figure.suptitle(title or f"Time per layer, {rows[0].precision}, {threads}", wrap=True)
    return figure

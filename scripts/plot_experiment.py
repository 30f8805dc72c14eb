"""Draws the scores of an experiment as points with intervals. Called by plot_results.py."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plot_style import ACCENT, DATA, GREY, METRICS


@dataclasses.dataclass(frozen=True)
class Point:
    """One variant's score on one data set, in the units of the axis."""

    name: str
    mean: float | None
    deviation: float
    values: tuple[float, ...]
    paper: float | None


def read_points(data: dict[str, Any], metric: str) -> list[Point]:
    """The points of one panel, in the order of the experiment's file."""
    scale = 1.0 if metric == "loss" else 100.0
    points = []
    for variant in data["variants"]:
        score = variant["metrics"][metric]
        paper = variant.get("paper_percent", {}).get(metric)
        if score is None:
            points.append(Point(variant["name"], None, 0.0, (), paper))
            continue
        points.append(
            Point(
                variant["name"],
                scale * score["mean"],
                scale * (score["deviation"] or 0.0),
                tuple(scale * value for value in score["values"]),
                paper,
            )
        )
    return points


def is_begun(data: dict[str, Any]) -> bool:
    """Whether there is a point to draw for a data set."""
    scores = [score for variant in data["variants"] for score in variant["metrics"].values()]
    return any(score is not None for score in scores)


def has_accent(points: Sequence[Point], index: int) -> bool:
    """Fastformer's variants; the first variant of a grid that has none."""
    fastformers = [point.name.startswith("Fastformer") for point in points]
    return fastformers[index] if any(fastformers) else index == 0


def draw_points(axes: Axes, points: Sequence[Point], style: str) -> None:
    """A panel: a row per variant with its mean and deviation, the seeds below, the paper's above."""
    for i, point in enumerate(points):
        colour = ACCENT if has_accent(points, i) else GREY
        if point.paper is not None:
            axes.plot(point.paper, i - 0.27, "D", color="white", markeredgecolor="black",
                      markersize=5)  # fmt: skip
        if point.mean is None:
            axes.text(0.5, i, "not finished", transform=axes.get_yaxis_transform(), ha="center",
                      va="center", color=GREY, fontsize=9)  # fmt: skip
            continue
        axes.errorbar(point.mean, i, xerr=point.deviation if len(point.values) > 1 else None,
                      fmt="o", color=colour, markersize=7, capsize=3, linewidth=2)  # fmt: skip
        if len(point.values) > 1:
            axes.plot(point.values, [i + 0.27] * len(point.values), "|", color=colour,
                      markersize=5, markeredgewidth=1.2)  # fmt: skip
        axes.text(1.02, i, f"{point.mean:{style}}", transform=axes.get_yaxis_transform(),
                  va="center", fontsize=10, color=colour if colour == ACCENT else "black",
                  fontweight="bold" if colour == ACCENT else "normal")  # fmt: skip
    axes.set_ylim(len(points) - 0.4, -0.6)
    axes.set_yticks(range(len(points)), [point.name for point in points])
    axes.tick_params(axis="y", length=0)
    axes.margins(x=0.08)
    axes.locator_params(axis="x", nbins=4)
    axes.grid(axis="x", color="0.9")
    axes.spines["left"].set_visible(False)


def legend_of(paper: bool, seeds: bool) -> list[Line2D]:
    """The signs that the picture holds."""
    grey: dict[str, Any] = {"color": GREY, "linestyle": "none"}
    signs = [Line2D([], [], marker="o", markersize=7, label="mean", **grey)]
    if seeds:
        signs = [
            Line2D([], [], marker="o", markersize=7, color=GREY, linewidth=2,
                   label="mean ± standard deviation"),
            Line2D([], [], marker="|", markersize=7, label="each seed", **grey),
        ]  # fmt: skip
    if paper:
        signs.append(Line2D([], [], marker="D", markersize=5, color="white",
                            markeredgecolor="black", linestyle="none", label="the paper"))
    return signs


def plot_experiment(results: dict[str, Any], title: str | None) -> Figure:
    """A row of panels per data set with a finished training, a column per metric."""
    metrics = results["metrics"]
    data_sets = [data for data in results["data"] if is_begun(data)] or results["data"]
    heights = [len(data["variants"]) * 0.36 + 0.75 for data in data_sets]
    figure, grid = pyplot.subplots(
        len(data_sets),
        len(metrics),
        figsize=(2.0 + 2.6 * len(metrics), sum(heights) + 0.9),
        height_ratios=heights,
        squeeze=False,
        sharey="row",
        layout="constrained",
    )
    paper, seeds = False, False
    for row, data in zip(grid, data_sets, strict=True):
        for axes, metric in zip(row, metrics, strict=True):
            points = read_points(data, metric)
            draw_points(axes, points, ".3f" if metric == "loss" else ".2f")
            axes.set_xlabel(METRICS[metric])
            paper = paper or any(point.paper is not None for point in points)
            seeds = seeds or any(len(point.values) > 1 for point in points)
        row[0].set_title(DATA.get(data["name"], data["name"]), loc="left", fontweight="bold")
    figure.suptitle(title or f"{results['experiment']}: scores on the test part", wrap=True)
    figure.legend(handles=legend_of(paper, seeds), loc="outside lower center", ncols=3,
                  frameon=False)  # fmt: skip
    return figure

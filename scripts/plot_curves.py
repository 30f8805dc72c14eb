"""Learning curves of one training: loss on the training data, and a metric of the validation part."""

from __future__ import annotations

import json
import pathlib

from matplotlib.figure import Figure
from plot_style import ACCENT, GREY, METRICS, pyplot

_PREFIX = "validation_"


def read_metrics(path: pathlib.Path) -> list[dict[str, float]]:
    """The records of a run's metrics.jsonl. Raises ValueError naming the line of one that is none."""
    records = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            raise ValueError(f"{path}:{number}: is no JSON: {error.msg}") from error
        if not isinstance(record, dict) or "step" not in record:
            raise ValueError(f"{path}:{number}: expected a record of metrics.jsonl with a step")
        records.append(record)
    if not any("loss" in record for record in records):
        raise ValueError(f"{path}: has no training loss; expected the metrics.jsonl of a run")
    return records


def _metric_of(records: list[dict[str, float]]) -> str:
    """The first metric of the validation part that is not a loss; else its loss, or nothing."""
    names = [name.removeprefix(_PREFIX) for record in records for name in record
             if name.startswith(_PREFIX)]
    return next((name for name in names if name in METRICS and name != "loss"),
                "loss" if "loss" in names else "")


def plot_curves(records: list[dict[str, float]], title: str | None) -> Figure:
    """The loss on the left, the metric on the right, both by step."""
    metric = _metric_of(records)
    figure, axes = pyplot.subplots(1, 2 if metric else 1, figsize=(9 if metric else 5, 3.4),
                                   layout="constrained", squeeze=False)
    left = axes[0][0]
    steps = [record["step"] for record in records if "loss" in record]
    left.plot(steps, [record["loss"] for record in records if "loss" in record], color=ACCENT)
    left.set(xlabel="step", ylabel="training loss, nats", ylim=(0, None))
    if metric:
        measured = [record for record in records if _PREFIX + metric in record]
        factor = 1 if metric == "loss" else 100
        values = [factor * record[_PREFIX + metric] for record in measured]
        right = axes[0][1]
        right.plot([record["step"] for record in measured], values, color=ACCENT, marker="o")
        best = max(values) if factor == 100 else min(values)
        right.axhline(best, color=GREY, linewidth=0.8, linestyle=":")
        right.annotate(f"{best:.2f}", (measured[0]["step"], best), xytext=(0, 3),
                       textcoords="offset points", color=GREY)
        right.set(xlabel="step", ylabel=f"validation {METRICS[metric]}", xlim=(0, None))
    for axis in axes[0]:
        axis.grid(axis="y", color="#E5E5E5")
    if title:
        figure.suptitle(title)
    return figure

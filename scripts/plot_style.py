"""What all pictures share: names, colours and sizes. Used by the other plot_*.py."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402  (the backend comes first)
from matplotlib.figure import Figure  # noqa: E402

# Fastformer has the accent in every picture, all else is grey; markers and labels tell lines apart,
# so that a print in black and white loses nothing.
ACCENT, GREY = "#0072B2", "#6E6E6E"

MODELS = {
    "additive": "Fastformer",
    "softmax": "Transformer",
    "sliding_window": "Longformer",
    "block_sparse": "BigBird",
    "low_rank": "Linformer",
    "linear": "Linear Transformer",
    "pooling": "Poolingformer",
}
DATA = {
    "amazon": "Amazon reviews",
    "ag_news": "AG News",
    "debian": "Debian packages, 27 sections",
    "imdb": "IMDB ratings",
    "ml-100k": "Films (MovieLens 100k)",
    "debian_dependencies": "Debian packages, dependencies as clicks",
}
METRICS = {
    "accuracy": "accuracy, %", "macro_f1": "macro-F1, %", "auc": "AUC, %", "mrr": "MRR, %",
    "ndcg_5": "nDCG@5, %", "ndcg_10": "nDCG@10, %", "rouge_1": "ROUGE-1, %",
    "rouge_2": "ROUGE-2, %", "rouge_l": "ROUGE-L, %", "rouge_lsum": "ROUGE-Lsum, %",
    "loss": "loss, nats",
}  # fmt: skip

# The same input gives the same files, and an SVG keeps its text as text.
pyplot.rcParams.update(
    {
        "svg.hashsalt": "fastformer",
        "svg.fonttype": "none",
        "font.size": 11,
        "axes.titlesize": 11,
        "figure.titlesize": 12,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
    }
)


def save(figure: Figure, path: pathlib.Path) -> None:
    """Writes `path`.svg and `path`.png."""
    for ending in ("svg", "png"):
        name = path.with_name(f"{path.name}.{ending}")
        metadata = {"Date": None} if ending == "svg" else None
        figure.savefig(name, dpi=160, metadata=metadata)
        print(name)
    pyplot.close(figure)


def spread(heights: Sequence[float], gap: float) -> list[float]:
    """The heights, ascending, moved apart until neighbours have that gap."""
    places = list(heights)
    for _ in range(200):
        for i in range(1, len(places)):
            lack = gap - (places[i] - places[i - 1])
            if lack > 0:
                places[i - 1] -= lack / 2
                places[i] += lack / 2
    return places

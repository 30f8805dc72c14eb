"""Draws results as SVG and PNG: of experiments, trainings, the efficiency study and kernels.

Called by scripts/plot.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import sys
from collections.abc import Sequence

from plot_curves import plot_curves, read_metrics
from plot_efficiency import plot_efficiency, read_measurements
from plot_experiment import plot_experiment
from plot_roofline import plot_roofline, read_kernels
from plot_style import save

_ROOT = pathlib.Path(__file__).resolve().parent.parent
_SMALL = "width 64, bf16, AMD EPYC (Zen 4)"
_EFFICIENCY = (
    "Time per layer, width 256, 16 heads, 65,536 tokens per batch, {}, "
    "2 threads, AMD EPYC (Zen 4)"
)
# The pictures of the documentation: name, data, data sets, title.
_PICTURES: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    ("classification", "classification.json", ("amazon",),
     "Classification with seven mixers, width 256, fp32, AMD EPYC (Zen 3)"),
    ("classification-more", "classification.json", ("ag_news", "debian", "imdb"),
     f"Classification with seven mixers, {_SMALL}"),
    ("interaction", "interaction.json", ("amazon",),
     "How token and global vectors are combined, width 256, bf16, AMD EPYC (Zen 4)"),
    ("interaction-more", "interaction.json", ("ag_news", "debian", "imdb"),
     f"How token and global vectors are combined, {_SMALL}"),
    ("sharing", "sharing.json", ("amazon",),
     "Which parameters are shared, width 256, bf16, AMD EPYC (Zen 4)"),
    ("sharing-more", "sharing.json", ("ag_news", "debian", "imdb"),
     f"Which parameters are shared, {_SMALL}"),
    ("recommendation", "recommendation.json", ("ml-100k", "debian_dependencies"),
     "Recommendation, scores on the test impressions, bf16, AMD EPYC (Zen 4)"),
    ("efficiency-fp32-2", "efficiency_fp32.csv", (), _EFFICIENCY.format("fp32")),
    ("efficiency-bf16-2", "efficiency_bf16.csv", (), _EFFICIENCY.format("bf16")),
    ("curves-ag-news", "curves_ag_news.jsonl", (),
     "Training recipes/ag_news.toml: the network alone, fp32, AMD EPYC (Zen 4)"),
    ("roofline", "kernels.json", (),
     "GFLOP/s of kernels on one core, AMD EPYC (Zen 4), in brackets the % of the arithmetic peak"),
)  # fmt: skip


def plot_json(path: pathlib.Path, data: Sequence[str], title: str | None,
              output: pathlib.Path) -> None:  # fmt: skip
    """Draws a results.json, or the JSON of Google Benchmark; `data` chooses data sets."""
    content = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(content, dict) and "benchmarks" in content:
        save(plot_roofline(read_kernels(content["benchmarks"]), title), output)
        return
    if not isinstance(content, dict) or not {"metrics", "data"} <= content.keys():
        raise ValueError(f"{path}: expected a results.json of `fastformer experiment`")
    names = [row["name"] for row in content["data"]]
    unknown = [name for name in data if name not in names]
    if unknown:
        raise ValueError(f"{path}: has no data set '{unknown[0]}'; it has {', '.join(names)}")
    if data:
        content["data"] = [content["data"][names.index(name)] for name in data]
    save(plot_experiment(content, title), output)


def plot_csv(path: pathlib.Path, title: str | None, output: pathlib.Path, named: bool) -> None:
    """Draws an efficiency CSV, a picture per precision and number of threads."""
    rows = read_measurements(path)
    settings = dict.fromkeys((row.precision, row.threads) for row in rows)
    for precision, threads in settings:
        chosen = [row for row in rows if (row.precision, row.threads) == (precision, threads)]
        one = named and len(settings) == 1
        name = output.name if one else f"{output.name}-{precision}-{threads}"
        save(plot_efficiency(chosen, title), output.with_name(name))


def plot(path: pathlib.Path, folder: pathlib.Path, name: str | None, data: Sequence[str],
         title: str | None) -> None:  # fmt: skip
    """Draws a file into the folder, under the name or its own."""
    folder.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".jsonl":
        save(plot_curves(read_metrics(path), title), folder / (name or path.stem))
    elif path.suffix == ".json":
        default = path.stem
        if name is None and path.name == "results.json":
            default = path.resolve().parent.name
        plot_json(path, data, title, folder / (name or default))
    else:
        plot_csv(path, title, folder / (name or path.stem), name is not None)


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser("plot", description="Draw results as SVG and PNG.")
    parser.add_argument("file", type=pathlib.Path, nargs="?",
                        help="results.json, metrics.jsonl, an efficiency CSV, or kernels.json")
    parser.add_argument("--output", type=pathlib.Path, help="folder (default: that of the file)")
    parser.add_argument("--name", help="name of the figure (default: that of the file; for a "
                        "results.json that of its folder)")
    parser.add_argument("--title", help="what was measured, and on which machine")
    parser.add_argument("--data", default="", help="data sets to draw, in this order, separated by commas")
    parser.add_argument("--all", action="store_true",
                        help="draw the figures of the documentation from docs/study/data")
    given = parser.parse_args()
    if given.all == (given.file is not None):
        parser.error("give a file, or --all")
    try:
        if given.all:
            folder = given.output or _ROOT / "docs/images"
            for name, file, data, title in _PICTURES:
                plot(_ROOT / "docs/study/data" / file, folder, name, data, title)
        else:
            data = [name for name in given.data.split(",") if name]
            plot(given.file, given.output or given.file.parent, given.name, data, given.title)
    except (OSError, ValueError, KeyError) as error:
        print(f"plot: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

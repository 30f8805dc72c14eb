"""Accuracy and size of classifiers before and after quantization.

  quantization.py ag_news|imdb [--seeds 1 2 3] [--sizes 2MB]

Contenders: the network of the recipe (without linear members) as trained, quantized, and quantized to
each of the sizes; fastText (dimension 100, pairs of words) as trained, quantized, and pruned to a size
near each of them (its option -cutoff, chosen by the size of the file alone). All are trained on the same
texts, one model per seed (fastText has no seed: one model). Prints a Markdown table: size of the
parameter files, share of the first size, accuracy on the test part (mean and range over the seeds) and
its difference from the model as trained.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import pathlib
import statistics
import subprocess
import tempfile
from collections.abc import Iterator

from child import cpu_model
from labelled_text import read_labelled_text, words

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "build/release/bin/fastformer"
TEST = {
    "ag_news": ['data.test=["local/ag_news/test.csv"]', 'data.test_text_columns=["2","3"]'],
    "imdb": ['data.test=["local/imdb/test"]'],
}
NETWORK = ["linear.members=[]", "data.validation_fraction=0", "train.refit=false"]
UNITS = {"KB": 10**3, "MB": 10**6}


@dataclasses.dataclass
class Row:
    """A contender: bytes of its parameters and its accuracy, for each seed."""

    sizes: list[int] = dataclasses.field(default_factory=list)
    accuracies: list[float] = dataclasses.field(default_factory=list)

    def add(self, size: int, accuracy: float) -> None:
        """One more seed."""
        self.sizes.append(size)
        self.accuracies.append(accuracy)


def fastformer(*arguments: object) -> str:
    """Output of the program; its message is shown if it fails."""
    done = subprocess.run([PROGRAM, *map(str, arguments)], cwd=ROOT, text=True, check=False,
                          capture_output=True)
    if done.returncode:
        raise SystemExit(f"fastformer {arguments[0]}: {done.stderr.strip().splitlines()[-1]}")
    return done.stdout


def settings(values: list[str]) -> Iterator[str]:
    """The same as arguments."""
    for value in values:
        yield from ("--set", value)


def parameter_bytes(model: pathlib.Path) -> int:
    """Of all parameter files."""
    return sum(file.stat().st_size for file in model.glob("*.safetensors"))


def networks(data: str, seeds: list[int], sizes: list[str], folder: pathlib.Path) -> dict[str, Row]:
    """The rows of our models."""
    names = ["network", "network, quantized", *(f"network, --size {size}" for size in sizes)]
    rows = {name: Row() for name in names}
    for seed in seeds:
        run = folder / f"run{seed}"
        fastformer("train", f"recipes/{data}.toml", "--output", run,
                   *settings([*NETWORK, *TEST[data], f"train.seed={seed}"]))
        options: list[list[str]] = [[], *(["--size", size] for size in sizes)]
        models = [run / "model"]
        for i, option in enumerate(options):
            models.append(folder / f"small{seed}-{i}")
            fastformer("quantize", models[0], models[-1], *option)
        for name, model in zip(names, models):
            report = fastformer("evaluate", model, *test_files(data),
                                *settings(test_settings(data)), "--json")
            rows[name].add(parameter_bytes(model), json.loads(report)["accuracy"])
    return rows


def test_files(data: str) -> list[str]:
    """Paths of the test part."""
    return json.loads(TEST[data][0].partition("=")[2])


def test_settings(data: str) -> list[str]:
    """How its columns differ from those of the training part."""
    return [value.replace("data.test_", "data.") for value in TEST[data][1:]]


def fasttext_rows(data: str, targets: list[int], sizes: list[str],
                  folder: pathlib.Path) -> dict[str, Row]:
    """The rows of fastText; `targets` are the bytes of our models of those sizes."""
    fastformer("export", f"recipes/{data}.toml", folder / "parts",
               *settings([*TEST[data], "data.validation_fraction=0"]))
    for part in ("train", "test"):
        content = read_labelled_text([folder / "parts" / f"{part}.tsv"])
        (folder / f"{part}.txt").write_text("".join(
            f"__label__{label} {' '.join(words(text))}\n"
            for label, text in zip(content.labels, content.texts)), encoding="utf-8")

    def run(*arguments: object) -> str:
        return subprocess.run(["fasttext", *map(str, arguments)], cwd=folder, text=True, check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout

    def row(file: str) -> Row:
        measured = run("test", file, "test.txt").split()
        return Row([(folder / file).stat().st_size], [float(measured[measured.index("P@1") + 1])])

    run("supervised", "-input", "train.txt", "-output", "model", "-dim", 100, "-wordNgrams", 2,
        "-thread", 1)
    rows = {"fastText": row("model.bin")}
    # qnorm and retraining as in the paper (Joulin et al. 2016, arXiv 1612.03651).
    quantize = ["quantize", "-input", "train.txt", "-output", "model", "-qnorm", "-thread", 1]
    run(*quantize)
    rows["fastText, quantized"] = row("model.ftz")
    for size, target in zip(sizes, targets):
        most, best = 2_000_000, 1000
        least = 1000
        while least <= most:
            cutoff = (least + most) // 2
            run(*quantize, "-cutoff", cutoff)
            if (folder / "model.ftz").stat().st_size <= target:
                best, least = cutoff, cutoff + cutoff // 20 + 1
            else:
                most = cutoff - cutoff // 20 - 1
        run(*quantize, "-cutoff", best, "-retrain", "-epoch", 1)
        rows[f"fastText, {size} (-cutoff {best} -retrain)"] = row("model.ftz")
    return rows


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", choices=sorted(TEST))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--sizes", nargs="*", default=["2MB"])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        ours = networks(given.data, given.seeds, given.sizes, folder)
        targets = [int(size[:-2]) * UNITS[size[-2:].upper()] for size in given.sizes]
        theirs = fasttext_rows(given.data, targets, given.sizes, folder)
    print(f"{cpu_model()}, seeds {' '.join(map(str, given.seeds))}\n")
    print("| | MB | share | accuracy | lowest to highest | to the model as trained |")
    print("|---|---|---|---|---|---|")
    for rows in (ours, theirs):
        first = next(iter(rows.values()))
        for contender, row in rows.items():
            size, accuracy = statistics.mean(row.sizes), statistics.mean(row.accuracies)
            print(f"| {contender} | {size / 1e6:.2f} | {size / statistics.mean(first.sizes):.3f} | "
                  f"{accuracy:.4f} | {min(row.accuracies):.4f}-{max(row.accuracies):.4f} | "
                  f"{100 * (accuracy - statistics.mean(first.accuracies)):+.2f} points |")


main()

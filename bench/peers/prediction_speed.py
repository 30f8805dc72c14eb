"""CPU time per document of classifying AG News, tokenization included, on one core.

  prediction_speed.py [--rounds 5] [--linear]

Contenders: fastText's `predict` (dimension 100, pairs of words), fastformer-run with the network of
recipes/ag_news.toml as trained, and quantized (8-bit layers and word embeddings, 4-bit embeddings of
word pairs). --linear adds the linear members of the recipe. All are trained on the same texts and
predict the test texts ten times over. The time of a call with 100 texts, which is mostly loading, is
subtracted. Accuracies come first; contenders take turns. Prints a Markdown table: median microseconds
of CPU time per document, their quartiles, and the median over the rounds of fastText's time divided by
that of the contender.
"""

from __future__ import annotations

import argparse
import csv
import os
import pathlib
import statistics
import subprocess
import tempfile

from attention_block import cpu_model

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT / "local/ag_news"
PROGRAM, RUN = ROOT / "build/release/bin/fastformer", ROOT / "build/release/bin/fastformer-run"
COPIES = 10


def rows_of(name: str) -> list[tuple[str, str]]:
    """Class and text of each row; the text is the last column."""
    with open(DATA / name, newline="", encoding="utf-8") as file:
        return [(row[0], " ".join(row[-1].split())) for row in csv.reader(file)]


def cpu_seconds(command: list[str], output: pathlib.Path) -> float:
    """User time of a command: reading a large model from the disk is not counted."""
    with open(output, "w", encoding="utf-8") as out:
        before = os.times().children_user
        subprocess.run(command, stdout=out, stderr=subprocess.DEVNULL, check=True)
        return os.times().children_user - before


def main() -> None:
    """Trains the contenders, compares their accuracy, then their time."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--linear", action="store_true", help="with the recipe's linear members")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        train = [row for file in sorted(DATA.glob("train_subset_*.csv")) for row in rows_of(file.name)]
        test = rows_of("test.csv")
        (folder / "train.txt").write_text(
            "".join(f"__label__{label} {text.lower()}\n" for label, text in train), encoding="utf-8")
        texts = {"many": [text for _, text in test] * COPIES, "few": [text for _, text in test][:100]}
        for key, lines in texts.items():
            (folder / key).write_text("\n".join(lines) + "\n", encoding="utf-8")
            (folder / f"{key}.lower").write_text("\n".join(lines).lower() + "\n", encoding="utf-8")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": True}
        subprocess.run(["fasttext", "supervised", "-input", folder / "train.txt", "-output",
                        folder / "fasttext", "-dim", "100", "-wordNgrams", "2", "-thread", "1"], **quiet)
        members = [] if given.linear else ["--set", "linear.members=[]"]
        short = ["--set", "train.epochs=4", "--set", "train.adversarial=0", "--set", "train.refit=false"]
        subprocess.run([PROGRAM, "train", ROOT / "recipes/ag_news.toml", "--output", folder / "run",
                        *members, *short], cwd=ROOT, **quiet)
        model, small = folder / "run/model", folder / "small"
        subprocess.run([PROGRAM, "quantize", model, small], **quiet)

        def run(path: pathlib.Path, key: str) -> list[str]:
            return [str(RUN), "classify", str(path), str(folder / key), "--threads", "1"]

        contenders = {
            "fastText": lambda key: ["fasttext", "predict", str(folder / "fasttext.bin"),
                                     str(folder / f"{key}.lower")],
            "fastformer-run": lambda key: run(model, key),
            "fastformer-run, quantized": lambda key: run(small, key),
        }
        accuracy = {}
        for contender, command in contenders.items():
            cpu_seconds(command("many"), folder / "out")
            answers = (folder / "out").read_text(encoding="utf-8").splitlines()[:len(test)]
            labels = [answer.split("\t")[0].removeprefix("__label__") for answer in answers]
            accuracy[contender] = sum(a == b for a, (b, _) in zip(labels, test)) / len(test)
            if accuracy[contender] < 0.85:
                raise SystemExit(f"{contender}: accuracy {accuracy[contender]:.4f}; not worth timing")
        times: dict[str, list[float]] = {contender: [] for contender in contenders}
        for _ in range(given.rounds):
            for contender, command in contenders.items():
                seconds = (cpu_seconds(command("many"), folder / "out")
                           - cpu_seconds(command("few"), folder / "out"))
                times[contender].append(1e6 * seconds / (len(texts["many"]) - 100))
    print(f"{cpu_model()}, one core, {len(test) * COPIES} documents\n")
    print("| | accuracy | microseconds per document | quartiles | times fastText's speed |")
    print("|---|---|---|---|---|")
    for contender, values in times.items():
        low, _, high = statistics.quantiles(values, n=4)
        ratio = statistics.median(a / b for a, b in zip(times["fastText"], values))
        print(f"| {contender} | {accuracy[contender]:.4f} | {statistics.median(values):.1f} | "
              f"{low:.1f}-{high:.1f} | {ratio:.2f} |")


main()

"""Test accuracy of AG News with few labels.

  few_labels.py [--labels 1000] [--draws 5] [--set section.key=value ...]

Each draw takes that many training texts at random; a tenth of them validates. Contenders: the classifier
of recipes/ag_news.toml; the one of recipes/ag_news_minilm.toml with the settings of `FEW`; TF-IDF of words and pairs with a linear SVM, trained on all texts of the draw. Prints a Markdown
table with the mean, the standard deviation and the range of the accuracy on the test part.
"""

from __future__ import annotations

import argparse
import csv
import json
import pathlib
import random
import statistics
import subprocess
import tempfile

from child import cpu_model
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "build/release/bin/fastformer"
DATA = ROOT / "local/ag_news"
TEST = ['data.test=["local/ag_news/test.csv"]', 'data.test_text_columns=["2","3"]']
# Chosen among 0, 1 and 2 layers on training texts outside of the draws.
FEW = ["model.trainable_layers=2", "model.pretrained_factor=0.1", "train.epochs=8"]


def rows_of(path: pathlib.Path) -> list[list[str]]:
    """The records of a csv."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def trained(recipe: str, train: pathlib.Path, output: pathlib.Path, settings: list[str]) -> float:
    """Accuracy on the test part of the recipe with other training texts."""
    assignments = [*TEST, f'data.train=["{train}"]', f'data.cache="{output.parent / "cache"}"', *settings]
    done = subprocess.run(
        [PROGRAM, "train", ROOT / f"recipes/{recipe}.toml", "--output", output,
         *(word for assignment in assignments for word in ("--set", assignment))],
        cwd=ROOT, text=True, check=False, capture_output=True)
    if done.returncode:
        raise SystemExit(f"{recipe}: {done.stderr.strip().splitlines()[-1]}")
    return json.loads((output / "test.json").read_text())["accuracy"]


def svm(train: list[list[str]], test: list[list[str]]) -> float:
    """Accuracy of TF-IDF with a linear SVM."""
    model = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LinearSVC())
    model.fit([row[1] for row in train], [row[0] for row in train])
    return model.score([" ".join(row[1:]) for row in test], [row[0] for row in test])


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--labels", type=int, default=1000)
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--set", action="append", default=[], help="for the pre-trained contender")
    options = parser.parse_args()
    if options.draws < 2:
        raise SystemExit("few_labels: --draws must be at least 2, for a standard deviation")
    pool = [row for path in sorted(DATA.glob("train_subset_*.csv")) for row in rows_of(path)]
    test = rows_of(DATA / "test.csv")
    accuracies: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        for draw in range(1, options.draws + 1):
            rows = random.Random(draw).sample(pool, options.labels)
            train = work / f"{draw}.csv"
            with train.open("w", newline="", encoding="utf-8") as file:
                csv.writer(file, quoting=csv.QUOTE_ALL).writerows(rows)
            for contender, accuracy in (
                ("MiniLM, two layers tuned", lambda: trained("ag_news_minilm", train, work / f"minilm{draw}",
                                                   [*FEW, *options.set])),
                ("without pre-training", lambda: trained("ag_news", train, work / f"own{draw}", [])),
                ("TF-IDF, linear SVM", lambda: svm(rows, test)),
            ):
                accuracies.setdefault(contender, []).append(accuracy())
    print(f"{options.labels} labels, {options.draws} draws, {len(test)} test texts, {cpu_model()}\n")
    print("| | accuracy | range |\n|---|---|---|")
    for contender, values in accuracies.items():
        print(f"| {contender} | {statistics.mean(values):.4f} ± {statistics.stdev(values):.4f} "
              f"| {min(values):.4f} to {max(values):.4f} |")


if __name__ == "__main__":
    main()

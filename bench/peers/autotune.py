"""Accuracy of autotune and, on the same texts, of TF-IDF with a linear SVM.

Usage: autotune.py [--time 2m] [--threads 2] [--draws 1] [--only reviews_domain ...]

Needs local/ag_news, local/amazon (mdsd_8000.jsonl and musical_instruments_5core_first5050.jsonl), local/mind
(news.tsv), local/imdb (the folder aclImdb) and local/debian/packages.txt; a set without its files is skipped with a
line that says so. The peer is TF-IDF of words and pairs with LinearSVC at its default settings. Both learn from the
same texts and are measured on the same test part: the set's own, or a fifth of the texts, drawn at random. Each draw
has other training texts where a set has more of them than it uses, and another test part where it is drawn.
"""

from __future__ import annotations

import argparse
import collections
import csv
import errno
import json
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable

from labelled_text import read_labelled_text
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import accuracy_score, f1_score
from sklearn.svm import LinearSVC

_ROOT = pathlib.Path(__file__).resolve().parents[2]
_LOCAL, _PROGRAM = _ROOT / "local", _ROOT / "build/release/bin/fastformer"

Rows = list[tuple[str, str]]  # label and text
Parts = tuple[Rows, Rows]  # training and test


def divided(rows: Rows, draw: int) -> Parts:
    """A text that occurs several times is in one part."""
    texts = sorted({text for _, text in rows})
    random.Random(draw).shuffle(texts)
    test = set(texts[: len(texts) // 5])
    return [row for row in rows if row[1] not in test], [row for row in rows if row[1] in test]


def drawn(rows: Rows, count: int, draw: int) -> Rows:
    """`count` of the rows."""
    return random.Random(draw).sample(rows, count)


def ag_news(count: int, draw: int) -> Parts:
    """As many training texts of each class, `count` in all."""
    folder = _LOCAL / "ag_news"
    train, test = (read_labelled_text([folder / name for name in names]) for names in (
        ("train_subset_title_desc.csv", "train_subset_desc_only.csv"), ("test.csv",)))
    by_class: dict[str, Rows] = {}
    for row in zip(train.labels, train.texts):
        by_class.setdefault(row[0], []).append(row)
    chance = random.Random(draw)
    few = [row for rows in by_class.values() for row in chance.sample(rows, count // len(by_class))]
    return few, list(zip(test.labels, test.texts))


def reviews(name: str, label: Callable[[dict], str]) -> Rows:
    """Amazon reviews of a file of JSON Lines."""
    with (_LOCAL / "amazon" / name).open(encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    return [(label(record), f"{record['summary']} {record['reviewText']}") for record in records]


def mind() -> Rows:
    """Category, title and abstract; categories of fewer than 20 items are dropped."""
    with (_LOCAL / "mind/news.tsv").open(encoding="utf-8", newline="") as file:
        records = [line.rstrip("\n").split("\t") for line in file]
    rows = [(record[1], f"{record[3]} {record[4]}") for record in records]
    counts = collections.Counter(label for label, _ in rows)
    return [row for row in rows if counts[row[0]] >= 20]


def imdb(part: str) -> Rows:
    """The reviews of a folder of aclImdb."""
    if not (_LOCAL / "imdb" / part).is_dir():
        raise FileNotFoundError(errno.ENOENT, "missing", str(_LOCAL / "imdb" / part))
    return [(label, path.read_text(encoding="utf-8"))
            for label in ("neg", "pos") for path in sorted((_LOCAL / "imdb" / part / label).glob("*.txt"))]


def debian() -> Parts:
    """Sections of packages, divided as by the recipe: packages of one source are in one part."""
    if not (_LOCAL / "debian/packages.txt").exists():
        raise FileNotFoundError(errno.ENOENT, "missing", str(_LOCAL / "debian/packages.txt"))
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([_PROGRAM, "export", "recipes/debian_sections.toml", folder], cwd=_ROOT, check=True,
                       capture_output=True)
        parts: dict[str, Rows] = {}
        for name in ("train", "validation", "test"):
            lines = pathlib.Path(folder, f"{name}.tsv").read_text(encoding="utf-8").splitlines()
            parts[name] = [(label, text) for label, text in (line.split("\t", 1) for line in lines)]
    return parts["train"] + parts["validation"], parts["test"]


def debian_5000(draw: int) -> Parts:
    """The same with few training texts."""
    train, test = debian()
    return drawn(train, 5000, draw), test


_SETS: dict[str, Callable[[int], Parts]] = {
    "ag_news_100": lambda draw: ag_news(100, draw),
    "ag_news_1000": lambda draw: ag_news(1000, draw),
    "news_category": lambda draw: divided(mind(), draw),
    "instruments_rating": lambda draw: divided(
        reviews("musical_instruments_5core_first5050.jsonl", lambda record: f"{record['overall']:.0f}"), draw),
    "reviews_domain": lambda draw: divided(reviews("mdsd_8000.jsonl", lambda record: record["domain"]), draw),
    "reviews_sentiment": lambda draw: divided(
        reviews("mdsd_8000.jsonl", lambda record: str(record["overall"] > 3)), draw),
    "imdb_1500": lambda draw: (drawn(imdb("train"), 1500, draw), imdb("test")),
    "imdb_10000": lambda draw: (drawn(imdb("train"), 10000, draw), imdb("test")),
    "debian_5000": debian_5000,
    "debian": lambda draw: debian(),
}


def write(path: pathlib.Path, rows: Rows) -> pathlib.Path:
    """A CSV file with a header row."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("label", "text"), *rows])
    return path


def svm(train: Rows, test: Rows) -> tuple[float, float]:
    """Accuracy and macro-F1 of the peer."""
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    rows = vectorizer.fit_transform([text for _, text in train])
    model = LinearSVC().fit(rows, [label for label, _ in train])
    predicted = model.predict(vectorizer.transform([text for _, text in test]))
    right = [label for label, _ in test]
    return float(accuracy_score(right, predicted)), float(f1_score(right, predicted, average="macro"))


def autotune(train: Rows, test: Rows, time: str, threads: int) -> tuple[float, float]:
    """Accuracy and macro-F1 of the model that is found in `time`."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        done = subprocess.run(
            [_PROGRAM, "autotune", write(folder / "train.csv", train), "--output", folder / "run", "--time", time,
             "--text-column", "text", "--label-column", "label", "--test", write(folder / "test.csv", test),
             "--set", f"train.threads={threads}"], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(done.stderr[-1000:])
        scores = json.loads((folder / "run/test.json").read_text(encoding="utf-8"))
    return scores["accuracy"], scores["macro_f1"]


def main() -> None:
    """Prints a row per data set and draw, and the means of several draws."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--time", default="2m")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--draws", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=list(_SETS), choices=list(_SETS))
    arguments = parser.parse_args()
    print("| set | training texts | classes | autotune: accuracy | macro-F1 | SVM: accuracy | macro-F1 |\n"
          "|---|---|---|---|---|---|---|")
    for name in arguments.only:
        results: list[tuple[float, ...]] = []
        for draw in range(1, arguments.draws + 1):
            try:
                train, test = _SETS[name](draw)
            except FileNotFoundError as missing:
                print(f"autotune: {name} is skipped, {missing.filename} is missing", file=sys.stderr)
                break
            random.Random(draw).shuffle(train)
            results.append((*autotune(train, test, arguments.time, arguments.threads), *svm(train, test)))
            beginning = f"| {name} | {len(train)} | {len({label for label, _ in train})} | "
            print(beginning + " | ".join(f"{cell:.4f}" for cell in results[-1]) + " |", flush=True)
        if len(results) > 1:
            means = [statistics.mean(column) for column in zip(*results)]
            print(beginning.replace(name, f"{name}, mean", 1) + " | ".join(f"{cell:.4f}" for cell in means) + " |",
                  flush=True)


if __name__ == "__main__":
    main()

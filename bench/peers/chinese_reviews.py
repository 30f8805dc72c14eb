"""Chinese shopping reviews: makes the split, and measures n-grams of characters with a linear SVM.

Usage: chinese_reviews.py split POS NEG FOLDER
       chinese_reviews.py peer FOLDER

POS and NEG hold a review per line. `split` drops reviews that come twice or are in both files, and
divides the rest by the hash of the text: a tenth is test.csv, a tenth validation.csv, the rest
train.csv, with the columns label and text. `peer` prints the accuracy and macro-F1 of TF-IDF of
character n-grams (1 to 3) with LinearSVC, whose C the validation part chooses.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import pathlib

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import accuracy_score, f1_score
from sklearn.svm import LinearSVC

_PARTS = ("train", "validation", "test")
_PENALTIES = (0.03, 0.1, 0.3, 1.0, 3.0)


def _reviews(file: pathlib.Path) -> set[str]:
    lines = file.read_text(encoding="utf-8").split("\n")
    return {line.strip() for line in lines if line.strip()}


def _part(text: str) -> str:
    place = hashlib.sha256(text.encode()).digest()[0] * 10 // 256
    return {0: "test", 1: "validation"}.get(place, "train")


def split(positive: pathlib.Path, negative: pathlib.Path, folder: pathlib.Path) -> None:
    """Writes the three parts."""
    texts = {"pos": _reviews(positive), "neg": _reviews(negative)}
    both = texts["pos"] & texts["neg"]
    rows = [(label, text) for label in texts for text in texts[label] - both]
    rows.sort(key=lambda row: hashlib.sha256(row[1].encode()).hexdigest())
    folder.mkdir(parents=True, exist_ok=True)
    for part in _PARTS:
        own = [row for row in rows if _part(row[1]) == part]
        with (folder / f"{part}.csv").open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows([("label", "text"), *own])
        positives = sum(label == "pos" for label, _ in own)
        print(f"{part}: {len(own)} reviews, {positives} positive")


def _read(folder: pathlib.Path, part: str) -> tuple[list[str], list[str]]:
    with (folder / f"{part}.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return [row["text"] for row in rows], [row["label"] for row in rows]


def peer(folder: pathlib.Path) -> None:
    """Prints the peer's row."""
    texts, labels = _read(folder, "train")
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), min_df=2, sublinear_tf=True)
    features = vectorizer.fit_transform(texts)
    held_out, expected = _read(folder, "validation")
    held_out_features = vectorizer.transform(held_out)
    models = [LinearSVC(C=penalty, random_state=1).fit(features, labels) for penalty in _PENALTIES]
    best = max(models, key=lambda model: model.score(held_out_features, expected))
    test, answers = _read(folder, "test")
    predicted = best.predict(vectorizer.transform(test))
    accuracy = accuracy_score(answers, predicted)
    f1 = f1_score(answers, predicted, average="macro")
    print(f"character n-grams + LinearSVC, C = {best.C}: {accuracy:.4f} accuracy, {f1:.4f} macro-F1")


def main() -> None:
    """Does what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    divide = commands.add_parser("split")
    for name in ("positive", "negative", "folder"):
        divide.add_argument(name, type=pathlib.Path)
    commands.add_parser("peer").add_argument("folder", type=pathlib.Path)
    arguments = parser.parse_args()
    if arguments.command == "split":
        split(arguments.positive, arguments.negative, arguments.folder)
    else:
        peer(arguments.folder)


if __name__ == "__main__":
    main()

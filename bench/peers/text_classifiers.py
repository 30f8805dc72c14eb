"""Scores of fastText and of TF-IDF with a linear SVM on the split that Fastformer is trained on.

Usage: text_classifiers.py --train FILE... --test FILE [--threads 2]

Files are csv (class, then text columns; AG News) or tsv (label<TAB>text). Prints a table of
accuracy, macro-F1 and training seconds. Needs the `fasttext` program and scikit-learn.
"""

from __future__ import annotations

import argparse
import dataclasses
import pathlib
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence

from labelled_text import label_numbers, read_labelled_text, words
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import accuracy_score, f1_score
from sklearn.svm import LinearSVC

_LABEL = "__label__"


@dataclasses.dataclass(frozen=True)
class Part:
    """Texts as words joined by blanks, and the numbers of their labels."""

    texts: list[str]
    labels: list[int]


@dataclasses.dataclass(frozen=True)
class Score:
    """One row of the table."""

    name: str
    predicted: list[int]
    seconds: float


@dataclasses.dataclass(frozen=True)
class FastTextSettings:
    """What varies between the fastText rows."""

    learning_rate: float
    epochs: int
    dimension: int = 100
    word_ngrams: int = 2

    def name(self) -> str:
        """The row's name."""
        return (
            f"fastText words+pairs, lr {self.learning_rate}, {self.epochs} epochs,"
            f" dim {self.dimension}"
        )


def _run_fasttext(program: str, arguments: Sequence[str]) -> str:
    done = subprocess.run([program, *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"fasttext {arguments[0]} failed: {done.stderr.strip()[-300:]}")
    return done.stdout


def _write_fasttext(part: Part, path: pathlib.Path) -> None:
    # A document's own `__label__` must not become a label.
    lines = (
        f"{_LABEL}{label} {text.replace(_LABEL, '')}\n"
        for text, label in zip(part.texts, part.labels)
    )
    path.write_text("".join(lines), encoding="utf-8")


def score_fasttext(train: Part, test: Part, settings: FastTextSettings, threads: int) -> Score:
    """Trains and predicts with the fasttext program; seconds include reading and saving."""
    program = shutil.which("fasttext")
    if program is None:
        raise RuntimeError("The fasttext program is not installed; install Debian's fasttext.")
    with tempfile.TemporaryDirectory(prefix="text_classifiers_") as folder:
        train_path, test_path = pathlib.Path(folder, "train"), pathlib.Path(folder, "test")
        _write_fasttext(train, train_path)
        _write_fasttext(test, test_path)
        model = str(pathlib.Path(folder, "model"))
        start = time.perf_counter()
        _run_fasttext(program, [
            "supervised", "-input", str(train_path), "-output", model,
            "-lr", str(settings.learning_rate), "-epoch", str(settings.epochs),
            "-dim", str(settings.dimension), "-wordNgrams", str(settings.word_ngrams),
            "-thread", str(threads), "-verbose", "0",
        ])
        seconds = time.perf_counter() - start
        lines = _run_fasttext(program, ["predict", model + ".bin", str(test_path)]).splitlines()
    # A document without any known word gets an empty line: count it as the first label.
    predicted = [int(line.removeprefix(_LABEL)) if line else 0 for line in lines]
    return Score(settings.name(), predicted, seconds)


def score_svm(train: Part, test: Part) -> Score:
    """TF-IDF of words and pairs, linear SVM."""
    start = time.perf_counter()
    vectorizer = TfidfVectorizer(
        analyzer="word", tokenizer=str.split, token_pattern=None, lowercase=False,
        ngram_range=(1, 2), sublinear_tf=True, min_df=2,
    )
    classifier = LinearSVC(C=1.0).fit(vectorizer.fit_transform(train.texts), train.labels)
    seconds = time.perf_counter() - start
    predicted = classifier.predict(vectorizer.transform(test.texts)).tolist()
    return Score("TF-IDF words+pairs, LinearSVC", predicted, seconds)


def shuffled(part: Part, seed: int = 0) -> Part:
    """The same documents in random order.

    fastText reads its input in order: on a file sorted by label it would learn little but the last.
    """
    order = list(range(len(part.texts)))
    random.Random(seed).shuffle(order)
    return Part([part.texts[i] for i in order], [part.labels[i] for i in order])


def read_part(paths: Sequence[pathlib.Path], classes: list[str] | None) -> tuple[Part, list[str]]:
    """The documents, with labels numbered by `classes` or by their own sorted labels."""
    data = read_labelled_text(paths)
    known = sorted(set(data.labels)) if classes is None else classes
    texts = [" ".join(words(text)) for text in data.texts]
    return Part(texts, label_numbers(data.labels, known)), known


def print_table(scores: Sequence[Score], labels: Sequence[int]) -> None:
    """A Markdown table."""
    print("| classifier | accuracy | macro-F1 | training, s |\n|---|---|---|---|")
    for score in scores:
        accuracy = accuracy_score(labels, score.predicted)
        macro = f1_score(labels, score.predicted, average="macro")
        print(f"| {score.name} | {accuracy:.4f} | {macro:.4f} | {score.seconds:.1f} |")


def main() -> None:
    """Trains every classifier on the same split and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", type=pathlib.Path, nargs="+", required=True)
    parser.add_argument("--test", type=pathlib.Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    train, classes = read_part(arguments.train, None)
    train = shuffled(train)
    test, _ = read_part([arguments.test], classes)
    counts = f"{len(train.texts)} training, {len(test.texts)} test documents"
    print(f"{counts}, {len(classes)} classes\n")
    variants = (FastTextSettings(0.5, 5), FastTextSettings(0.5, 25))
    scores = [score_fasttext(train, test, each, arguments.threads) for each in variants]
    scores.append(score_svm(train, test))
    print_table(scores, test.labels)


if __name__ == "__main__":
    main()

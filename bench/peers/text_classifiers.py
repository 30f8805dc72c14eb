"""Scores of fastText and of TF-IDF with a linear SVM on the split that Fastformer is trained on.

Usage: text_classifiers.py --train FILE... --test FILE [--threads 2] [--runs RUN...]

Files are csv (class, then text columns; AG News) or tsv (label<TAB>text). Prints a table of
accuracy, macro-F1 and the seconds of training and prediction. The ensemble is of the fastText and the
SVM that are the most accurate on the test part, which favours it. `--runs`: folders of trained
classifiers whose test_predictions.csv is of the same test file; the difference of their mean accuracy
to each peer has a 95 % interval by the paired bootstrap over documents, for these runs and these models
of the peers. Needs the `fasttext` program and scikit-learn.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import pathlib
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from labelled_text import label_numbers, read_labelled_text, words
from scipy import sparse
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.svm import LinearSVC

_LABEL = "__label__"
_CHARACTERS_UP_TO = 24 << 20  # characters of the training texts
_CLASSES_OF_RATIOS = 10  # as in the classifier
_SAMPLES = 10_000


@dataclasses.dataclass(frozen=True)
class Part:
    """Texts as words joined by blanks, and the numbers of their labels."""

    texts: list[str]
    labels: list[int]


@dataclasses.dataclass(frozen=True)
class Score:
    """One row of the table."""

    name: str
    probabilities: np.ndarray  # [documents, classes]
    seconds: float

    @property
    def predicted(self) -> np.ndarray:
        """The most probable class of each document."""
        return self.probabilities.argmax(axis=1)


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
        classes = max(train.labels) + 1
        lines = _run_fasttext(program, ["predict-prob", model + ".bin", str(test_path),
                                        str(classes)]).splitlines()
    # A document without any known word gets an empty line: all classes are equally probable.
    probabilities = np.full((len(test.texts), classes), 1e-6)
    for row, line in zip(probabilities, lines):
        cells = line.split()
        for label, probability in zip(cells[::2], cells[1::2]):
            row[int(label.removeprefix(_LABEL))] = max(float(probability), 1e-6)
    return Score(settings.name(), probabilities, seconds)


def _word_vectorizer(most_words: int, **options: Any) -> TfidfVectorizer:
    return TfidfVectorizer(
        analyzer="word", tokenizer=str.split, token_pattern=None, lowercase=False,
        ngram_range=(1, most_words), min_df=2, **options,
    )


def _probabilities(logits: np.ndarray) -> np.ndarray:
    if logits.ndim == 1:  # two classes: the score of the second one
        logits = np.stack([-logits, logits], axis=1)
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def _sharpness(classifier: LinearSVC, rows: sparse.csr_matrix, labels: np.ndarray) -> float:
    """The factor on the scores of an SVM whose softmax fits a held-out tenth best."""
    held_out = np.arange(rows.shape[0]) % 10 == 0
    part = clone(classifier).fit(rows[~held_out], labels[~held_out])
    scores, right = part.decision_function(rows[held_out]), labels[held_out]

    def loss(factor: float) -> float:
        return -float(np.log(_probabilities(factor * scores)[np.arange(right.size), right]).mean())

    return min(np.geomspace(0.25, 16, 37), key=loss)


def score_svm(train: Part, test: Part, characters: bool) -> Score:
    """TF-IDF of words and pairs, and of sequences of 2 to 5 characters in a word; linear SVM."""
    start = time.perf_counter()
    vectorizers: list[TfidfVectorizer] = [_word_vectorizer(2, sublinear_tf=True)]
    if characters:
        vectorizers.append(TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=2,
                                           sublinear_tf=True, lowercase=False))
    rows = sparse.hstack([each.fit_transform(train.texts) for each in vectorizers], "csr")
    labels = np.array(train.labels)
    classifier = LinearSVC(C=0.5 if characters else 1.0)
    factor = _sharpness(classifier, rows, labels)
    classifier.fit(rows, labels)
    seconds = time.perf_counter() - start
    tests = sparse.hstack([each.transform(test.texts) for each in vectorizers], "csr")
    probabilities = _probabilities(factor * classifier.decision_function(tests))
    return Score("TF-IDF words+pairs" + ("+characters" if characters else "") + ", LinearSVC",
                 probabilities, seconds)


def score_naive_bayes(train: Part, test: Part) -> Score:
    """Log-count ratios of one to three words, logistic regression (Wang and Manning 2012)."""
    start = time.perf_counter()
    vectorizer = _word_vectorizer(3, binary=True, use_idf=False, norm=None)
    rows, labels = vectorizer.fit_transform(train.texts), np.array(train.labels)
    tests = vectorizer.transform(test.texts)
    logits = []
    for label in range(max(train.labels) + 1):
        own = labels == label
        inside = 1 + np.asarray(rows[own].sum(axis=0)).ravel()
        outside = 1 + np.asarray(rows[~own].sum(axis=0)).ravel()
        ratio = np.log(inside / inside.sum()) - np.log(outside / outside.sum())
        weights = sparse.diags(ratio)
        model = LogisticRegression(C=1.0, solver="liblinear", dual=True, max_iter=200)
        logits.append(model.fit(rows @ weights, own).decision_function(tests @ weights))
    seconds = time.perf_counter() - start
    return Score("log-count ratios of 1-3 words, logistic regression",
                 _probabilities(np.stack(logits, axis=1)), seconds)


def ensemble(first: Score, second: Score) -> Score:
    """The geometric mean of the probabilities."""
    mean = np.sqrt(first.probabilities * second.probabilities)
    return Score(f"ensemble of {first.name} and {second.name}", mean,
                 first.seconds + second.seconds)


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
    print("| classifier | accuracy | macro-F1 | time, s |\n|---|---|---|---|")
    for score in scores:
        accuracy = accuracy_score(labels, score.predicted)
        macro = f1_score(labels, score.predicted, average="macro")
        print(f"| {score.name} | {accuracy:.4f} | {macro:.4f} | {score.seconds:.1f} |")


def correctness_of_runs(runs: Sequence[pathlib.Path], labels: np.ndarray) -> np.ndarray:
    """[documents]: the share of the runs that predict a document's class.

    Raises ValueError if a run has another test part.
    """
    shares = np.zeros(labels.size)
    for run in runs:
        with (run / "test_predictions.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        own = np.array([int(row["label_number"]) for row in rows])
        # The classes may have other numbers there.
        pairs = {*zip(own, labels)}
        if own.size != labels.size or not len(pairs) == len({*own}) == len({*labels}):
            raise ValueError(f"{run}: test_predictions.csv is not of this test file.")
        shares += np.array([row["label_number"] == row["predicted_number"] for row in rows]) / len(runs)
    return shares


def print_comparison(scores: Sequence[Score], labels: np.ndarray, shares: np.ndarray) -> None:
    """The accuracy of the runs minus that of each peer, with a 95 % interval."""
    random_rows = np.random.default_rng(1)
    print(f"\nmean accuracy of the runs {shares.mean():.4f}\n")
    print("| minus | difference, points | 95 % interval |\n|---|---|---|")
    for score in scores:
        difference = 100 * (shares - (score.predicted == labels))
        means = [difference[random_rows.integers(0, labels.size, labels.size)].mean()
                 for _ in range(_SAMPLES)]
        low, high = np.percentile(means, [2.5, 97.5])
        print(f"| {score.name} | {difference.mean():+.2f} | {low:+.2f} to {high:+.2f} |")


def main() -> None:
    """Trains every classifier on the same split and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", type=pathlib.Path, nargs="+", required=True)
    parser.add_argument("--test", type=pathlib.Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=pathlib.Path, nargs="*", default=[])
    arguments = parser.parse_args()
    train, classes = read_part(arguments.train, None)
    train = shuffled(train)
    test, _ = read_part([arguments.test], classes)
    counts = f"{len(train.texts)} training, {len(test.texts)} test documents"
    print(f"{counts}, {len(classes)} classes\n")
    variants = (FastTextSettings(0.5, 5), FastTextSettings(0.5, 25))
    scores = [score_fasttext(train, test, each, arguments.threads) for each in variants]
    scores.append(score_svm(train, test, characters=False))
    if sum(map(len, train.texts)) <= _CHARACTERS_UP_TO:
        scores.append(score_svm(train, test, characters=True))
    if len(classes) <= _CLASSES_OF_RATIOS:
        scores.append(score_naive_bayes(train, test))
    labels = np.array(test.labels)
    best = {kind: max((each for each in scores if kind in each.name),
                      key=lambda each: accuracy_score(labels, each.predicted))
            for kind in ("fastText", "LinearSVC")}
    scores.append(ensemble(best["LinearSVC"], best["fastText"]))
    print_table(scores, test.labels)
    if arguments.runs:
        print_comparison(scores, labels, correctness_of_runs(arguments.runs, labels))


if __name__ == "__main__":
    main()

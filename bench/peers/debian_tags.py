"""Makes documents with several labels of Debian's packages: their tags, and measures a peer on them.

Usage: debian_tags.py write PACKAGES FOLDER    writes train, validation and test.jsonl
       debian_tags.py peer FOLDER              TF-IDF with a linear SVM for each tag, as a table

PACKAGES is what scripts/fetch_debian_packages writes. A document is a package with tags: its name and
description; its labels are the tags that 20 packages or more have. The hash of a package's name decides
its part: eight of ten train, one validation, one test. The peer's C and thresholds are chosen on the
validation part.
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import json
import pathlib
import time
from collections.abc import Iterator

import numpy as np
import scipy.sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import f1_score, precision_recall_curve
from sklearn.multiclass import OneVsRestClassifier
from sklearn.preprocessing import MultiLabelBinarizer
from sklearn.svm import LinearSVC

_LEAST_PACKAGES = 20
_PARTS = ("train",) * 8 + ("validation", "test")
_ENOUGH_POSITIVES = 10  # the rule of fastformer/classification/label_thresholds.h


def _paragraphs(path: pathlib.Path) -> Iterator[dict[str, str]]:
    """The fields of each package; a continued line follows its field after a line end."""
    fields: dict[str, str] = {}
    last = ""
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line == "\n":
                yield fields
                fields = {}
            elif line[0] in " \t":
                fields[last] += "\n" + line.strip()
            else:
                last, _, value = line.partition(":")
                fields[last] = value.strip()
    if fields:
        yield fields


def write_parts(packages: pathlib.Path, folder: pathlib.Path) -> None:
    """Writes the three parts, in the order of the packages."""
    documents = []
    for fields in _paragraphs(packages):
        if "Tag" not in fields or "Description" not in fields:
            continue
        tags = [tag.strip() for tag in fields["Tag"].replace("\n", " ").split(",")]
        lines = ["" if line == "." else line for line in fields["Description"].split("\n")]
        text = "\n".join([fields["Package"], *lines])
        documents.append((fields["Package"], text, sorted({tag for tag in tags if tag})))
    counts = collections.Counter(tag for _, _, tags in documents for tag in tags)
    folder.mkdir(parents=True, exist_ok=True)
    rows: dict[str, list[str]] = {part: [] for part in _PARTS}
    for name, text, tags in documents:
        digest = hashlib.sha256(name.encode()).digest()
        kept = [tag for tag in tags if counts[tag] >= _LEAST_PACKAGES]
        row = json.dumps({"package": name, "text": text, "tags": kept}, ensure_ascii=False)
        rows[_PARTS[int.from_bytes(digest[:8], "big") % len(_PARTS)]].append(row)
    for part, lines in rows.items():
        (folder / f"{part}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    labels = sum(count >= _LEAST_PACKAGES for count in counts.values())
    sizes = ", ".join(f"{part} {len(lines)}" for part, lines in rows.items())
    print(f"{len(documents)} packages ({sizes}), {labels} tags")


def _read(path: pathlib.Path) -> tuple[list[str], list[list[str]]]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [row["text"] for row in rows], [row["tags"] for row in rows]


def _best_threshold(positive: np.ndarray, scores: np.ndarray) -> float:
    """The score from which F1 is largest."""
    precision, recall, thresholds = precision_recall_curve(positive, scores)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    return float(thresholds[np.argmax(f1[:-1])])


def _thresholds(labels: scipy.sparse.csr_matrix, scores: np.ndarray) -> np.ndarray:
    """One for each label; labels with few positives share the best one of all."""
    dense = labels.toarray()
    common = _best_threshold(dense.ravel(), scores.ravel())
    return np.array([
        _best_threshold(dense[:, c], scores[:, c])
        if dense[:, c].sum() >= _ENOUGH_POSITIVES
        else common
        for c in range(dense.shape[1])
    ])


def _f1(labels: scipy.sparse.csr_matrix, predicted: np.ndarray) -> tuple[float, float]:
    dense = labels.toarray()
    micro = f1_score(dense, predicted, average="micro", zero_division=0)
    return float(micro), float(f1_score(dense, predicted, average="macro", zero_division=0))


def measure_peer(folder: pathlib.Path) -> None:
    """Prints micro- and macro-F1 on the test part, with and without thresholds."""
    parts = {part: _read(folder / f"{part}.jsonl") for part in dict.fromkeys(_PARTS)}
    binarizer = MultiLabelBinarizer(sparse_output=True).fit(parts["train"][1])
    known = set(binarizer.classes_)
    labels = {
        part: binarizer.transform([[tag for tag in tags if tag in known] for tags in lists])
        for part, (_, lists) in parts.items()
    }
    start = time.perf_counter()
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2)
    train = vectorizer.fit_transform(parts["train"][0])
    held_out = {part: vectorizer.transform(parts[part][0]) for part in ("validation", "test")}
    print("| C | validation micro-F1 |\n|---|---|", flush=True)
    best, classifier = -1.0, None
    for c in (0.5, 1.0, 2.0, 4.0, 8.0, 16.0):
        candidate = OneVsRestClassifier(LinearSVC(C=c)).fit(train, labels["train"])
        micro, _ = _f1(labels["validation"],
                       candidate.decision_function(held_out["validation"]) > 0)
        print(f"| {c:g} | {micro:.4f} |", flush=True)
        if micro > best:
            best, classifier = micro, candidate
    thresholds = _thresholds(labels["validation"],
                             classifier.decision_function(held_out["validation"]))
    scores = classifier.decision_function(held_out["test"])
    print(f"\n{time.perf_counter() - start:.0f} s\n\n| | micro-F1 | macro-F1 |\n|---|---|---|")
    for name, predicted in (("default threshold", scores > 0),
                            ("thresholds by validation", scores >= thresholds)):
        micro, macro = _f1(labels["test"], predicted)
        print(f"| TF-IDF, LinearSVC, {name} | {micro:.4f} | {macro:.4f} |")


def main() -> None:
    """Runs one of the two commands."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    write = commands.add_parser("write")
    write.add_argument("packages", type=pathlib.Path)
    write.add_argument("folder", type=pathlib.Path)
    peer = commands.add_parser("peer")
    peer.add_argument("folder", type=pathlib.Path)
    arguments = parser.parse_args()
    if arguments.command == "write":
        write_parts(arguments.packages, arguments.folder)
    else:
        measure_peer(arguments.folder)


if __name__ == "__main__":
    main()

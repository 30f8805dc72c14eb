"""Reads labelled documents for the peers: csv (class, text columns) or tsv (label, text)."""

from __future__ import annotations

import csv
import dataclasses
import pathlib
from collections.abc import Sequence

from nltk.tokenize import wordpunct_tokenize


@dataclasses.dataclass(frozen=True)
class LabelledText:
    """Texts and, in the same order, the labels as they are written in the files."""

    texts: list[str]
    labels: list[str]


def _rows(path: pathlib.Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = (csv.reader(file) if path.suffix == ".csv" else
                csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
        return [row for row in rows if row]


def read_labelled_text(paths: Sequence[pathlib.Path]) -> LabelledText:
    """All files after one another; the columns after the label are joined by a blank.

    Raises ValueError naming the file and row where a row has no text column.
    """
    texts, labels = [], []
    for path in paths:
        for number, row in enumerate(_rows(path), start=1):
            if len(row) < 2:
                raise ValueError(f"{path}, row {number}: expected a label and a text, got {row}.")
            labels.append(row[0].strip())
            texts.append(" ".join(row[1:]))
    if not texts:
        raise ValueError(f"No documents in {', '.join(map(str, paths))}.")
    return LabelledText(texts, labels)


def words(text: str) -> list[str]:
    """Lower-cased words and runs of punctuation."""
    return wordpunct_tokenize(text.lower())


def label_numbers(labels: Sequence[str], known: Sequence[str]) -> list[int]:
    """The position of every label in `known`; ValueError for a label that is not there."""
    numbers = {label: i for i, label in enumerate(known)}
    for label in labels:
        if label not in numbers:
            raise ValueError(f"Label {label!r} is not among the training labels {list(known)}.")
    return [numbers[label] for label in labels]

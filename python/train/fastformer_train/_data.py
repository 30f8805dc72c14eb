"""Examples in memory as the files that training reads."""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fastformer._arguments import is_missing, path_of, utf8

TEXT, LABEL = "text", "label"


def is_files(data: Any) -> bool:
    """Whether `data` is a path or a list of paths."""
    if isinstance(data, (str, os.PathLike)):
        return True
    return (isinstance(data, (list, tuple)) and bool(data)
            and all(isinstance(item, (str, os.PathLike)) for item in data))


def paths(data: Any) -> list[str]:
    """The paths of `data`, for which is_files() is true."""
    items = [data] if isinstance(data, (str, os.PathLike)) else data
    return [path_of(item, "data") for item in items]


def format_of(data: Any) -> str:
    """The value of data.format for the files, by the ending of the first."""
    name = paths(data)[0].lower()
    for ending in (".gz", ".zst", ".bz2", ".xz", ".zip"):
        name = name.removesuffix(ending)
    return {".jsonl": "jsonl", ".json": "jsonl", ".ndjson": "jsonl", ".tsv": "tsv"}.get(
        os.path.splitext(name)[1], "csv")


def _column(data: Any, name: str) -> list[Any]:
    """A column of a pandas or Arrow table, a Hugging Face dataset, or a mapping of lists."""
    names = getattr(data, "column_names", None)
    if names is None:
        names = list(getattr(data, "columns", data))
    count = sum(1 for one in names if isinstance(one, str) and one == name)
    if count != 1:
        shown = ", ".join(map(repr, list(names)[:10])) + (", ..." if len(names) > 10 else "")
        many = f"{count} columns" if count else "no column"
        raise ValueError(f"the data has {many} {name!r}; its columns are {shown}; name the columns with text= "
                         "and label=")
    values = data[name]
    return list(values.to_pylist() if hasattr(values, "to_pylist") else values)


def _pairs(data: Any, text: str, label: str) -> Iterator[tuple[Any, Any]]:
    if isinstance(data, Mapping) or hasattr(data, "columns") or hasattr(data, "column_names"):
        texts, labels = _column(data, text), _column(data, label)
        if len(texts) != len(labels):
            raise ValueError(f"column {text!r} has {len(texts)} rows, column {label!r} {len(labels)}")
        yield from zip(texts, labels, strict=True)
        return
    if not isinstance(data, Iterable):
        raise TypeError(f"the data has type {type(data).__name__}; expected files, a table, or a list "
                        "of pairs of text and label")
    for i, row in enumerate(data):
        if isinstance(row, Mapping):
            missing = [name for name in (text, label) if name not in row]
            if missing:
                raise ValueError(f"row {i} has no {missing[0]!r}")
            yield row[text], row[label]
        elif not isinstance(row, (str, bytes)) and hasattr(row, "__getitem__") and len(row) == 2:
            yield row[0], row[1]
        else:
            raise TypeError(f"row {i} has type {type(row).__name__}; expected a pair of text and label, "
                            "or a dictionary")


def _text_of(value: Any, row: int) -> str:
    if is_missing(value):
        raise ValueError(f"row {row}: the text is missing; drop such rows, or replace it by an empty text")
    if not isinstance(value, str):
        raise TypeError(f"row {row}: the text has type {type(value).__name__}; expected str")
    return utf8(value)


def _label_of(value: Any, row: int) -> str:
    if hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        value = value.item()  # a NumPy scalar
    if is_missing(value):
        raise ValueError(f"row {row}: the label is missing; drop such rows, or give them a label")
    if not isinstance(value, (str, int, float)):
        raise ValueError(f"row {row}: the label is of type {type(value).__name__}; expected a text or a "
                         "number: convert it with str()")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return utf8(str(value))


def _is_list(label: Any) -> bool:
    return isinstance(label, (list, tuple, set, frozenset)) or getattr(label, "ndim", 0) == 1


def write_examples(data: Any, file: pathlib.Path, text: str, label: str, resume: bool) -> bool:
    """Writes the examples as JSON Lines. Returns whether they have lists of labels.

    With `resume`, the file of the interrupted run is there and must have the same content.

    Raises:
        TypeError, ValueError: naming the row, for data that has no texts and labels.
    """
    lines = []
    several = 0
    for i, (words, target) in enumerate(_pairs(data, text, label)):
        labels: Any
        if _is_list(target):
            several += 1
            ordered = sorted(target, key=str) if isinstance(target, (set, frozenset)) else target
            labels = [_label_of(one, i) for one in ordered]
        else:
            labels = _label_of(target, i)
        if several not in (0, i + 1):
            raise ValueError(f"row {i}: some rows have a list of labels and some a single label")
        lines.append(json.dumps({TEXT: _text_of(words, i), LABEL: labels}, ensure_ascii=False) + "\n")
    if not lines:
        raise ValueError(f"the {file.stem} data has no rows")
    content = "".join(lines).encode()
    if not resume:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        except OSError as error:
            raise RuntimeError(f"{file} cannot be written: {error.strerror}") from error
    elif not file.exists() or file.read_bytes() != content:
        raise ValueError(f"the data differs from that of the interrupted run, {file}; pass the same rows, or "
                         "another output without resume")
    return several > 0

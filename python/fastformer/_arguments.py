"""Checks of arguments, before they reach the extension modules."""

from __future__ import annotations

import json
import operator
import os
import pathlib
from collections.abc import Iterable, Mapping, Set
from typing import Any

MOST_THREADS = 1024


def utf8_list(texts: Iterable[str], name: str = "texts") -> list[str]:
    """Returns the texts as a list; raises TypeError, with the argument's name, if an element is no str."""
    one_text = isinstance(texts, (str, bytes))
    if one_text or not isinstance(texts, Iterable):
        advice = f"; pass a single text as a list: [{name}]" if one_text else ""
        raise TypeError(f"{name}: expected a list of texts, got {type(texts).__name__}{advice}")
    if isinstance(texts, (Mapping, Set)) or hasattr(texts, "columns"):
        raise TypeError(f"{name}: expected a list of texts, got {type(texts).__name__}; pass one column or a "
                        "list")
    result = []
    for i, text in enumerate(texts):
        if not isinstance(text, str):
            shown = "is missing" if is_missing(text) else f"has type {type(text).__name__}"
            raise TypeError(f"{name}[{i}] {shown}; expected str")
        result.append(utf8(text))
    return result


def is_missing(value: Any) -> bool:
    """Whether the value is None, NaN, or pandas' NA or NaT."""
    try:
        return value is None or bool(value != value)
    except (TypeError, ValueError):
        return type(value).__name__ == "NAType"


def utf8(text: str) -> str:
    """Replaces lone surrogates, which UTF-8 cannot encode, with U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def integer(value: Any, name: str, least: int, most: int = 2**62) -> int:
    """Returns the value as an int; raises TypeError or ValueError with the argument's name."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} has type {type(value).__name__}; expected an integer") from None
    if not least <= number <= most:
        limit = f"at least {least}" if number < least else f"at most {most}"
        raise ValueError(f"{name} must be {limit}, got {number}")
    return number


def path_of(path: str | os.PathLike[str], name: str = "path") -> str:
    """Returns the absolute path; raises TypeError for anything but a text or a path."""
    try:
        found = os.fspath(path)
    except TypeError:
        found = None
    if not isinstance(found, str):
        raise TypeError(f"{name} has type {type(path).__name__}; expected str or pathlib.Path")
    if not found or "\0" in found:
        raise ValueError(f"{name} is {found!r}; expected the name of a file or folder")
    return os.path.abspath(utf8(found))


def settings_of_load(path: str | os.PathLike[str], threads: int,
                     max_batch_tokens: int) -> tuple[str, int, int]:
    """The checked arguments of a model's load()."""
    return (path_of(path), integer(threads, "threads", 0, MOST_THREADS),
            integer(max_batch_tokens, "max_batch_tokens", 1))


def mixer_of(directory: str) -> str:
    """The name of the network's mixer in a model directory; "additive" if the file does not say it."""
    try:
        text = pathlib.Path(directory, "config.json").read_text(encoding="utf-8")
        mixer = json.loads(text)["model"]["mixer"]
        return str(mixer["name"] if isinstance(mixer, dict) else mixer)
    except (OSError, ValueError, KeyError, TypeError):
        return "additive"

"""Writes a folder in MIND's format, of any size and with invented words, for measurements of speed.

The lengths of titles and histories and the number of shown items follow the quantiles of 2,000 items
and 5,000 impressions of MINDsmall; items and words are drawn by Zipf's law. A user has one history,
as in MIND. MIND-large has 161,013 items, 1,000,000 users and 2.3 million impressions.

Usage: synthetic_mind.py FOLDER [--news 161013] [--users 1000000] [--impressions 2300000] [--seed 1]
"""

from __future__ import annotations

import argparse
import dataclasses
import pathlib
from collections.abc import Iterator

import numpy as np

# From the least to the most in steps of 5 %.
_TITLE_WORDS = [2, 6, 7, 8, 8, 9, 9, 9, 10, 10, 10, 11, 11, 12, 12, 13, 13, 14, 15, 16, 27]
_HISTORY = [0, 2, 4, 5, 6, 7, 9, 11, 13, 16, 18, 21, 25, 29, 34, 40, 47, 58, 76, 111, 425]
_SHOWN = [2, 2, 4, 6, 7, 10, 12, 15, 18, 22, 24, 28, 32, 38, 44, 52, 63, 76, 93, 120, 283]
_WORDS, _CATEGORIES = 30_000, 15
_CHUNK = 50_000


@dataclasses.dataclass(frozen=True)
class Size:
    """How many of each the data set has."""

    news: int = 161_013
    users: int = 1_000_000
    impressions: int = 2_300_000


def _lengths(quantiles: list[int], count: int, random: np.random.Generator) -> np.ndarray:
    shares = np.linspace(0, 1, len(quantiles))
    return np.rint(np.interp(random.random(count), shares, quantiles)).astype(np.int64)


def _zipf(size: int, count: int, random: np.random.Generator) -> np.ndarray:
    """Numbers below `size`, each about as often as one over its rank."""
    return np.minimum((size + 1.0) ** random.random(count) - 1, size - 1).astype(np.int64)


def _lists(
    quantiles: list[int], size: int, count: int, random: np.random.Generator
) -> Iterator[list[int]]:
    for first in range(0, count, _CHUNK):
        lengths = _lengths(quantiles, min(_CHUNK, count - first), random)
        drawn = _zipf(size, int(lengths.sum()), random).tolist()
        start = 0
        for length in lengths.tolist():
            yield drawn[start : start + length]
            start += length


def write_news(path: pathlib.Path, size: Size, random: np.random.Generator) -> None:
    """The table news.tsv, with titles alone."""
    with path.open("w", encoding="utf-8") as file:
        for number, words in enumerate(_lists(_TITLE_WORDS, _WORDS, size.news, random)):
            title = " ".join(f"w{word}" for word in words)
            category = f"c{number % _CATEGORIES}"
            file.write(f"N{number}\t{category}\t{category}\t{title}\t\t\t\t\n")


def write_behaviors(path: pathlib.Path, size: Size, random: np.random.Generator) -> None:
    """The log behaviors.tsv; of what is shown the first is clicked."""
    ids = [f"N{number}" for number in range(size.news)]
    clicked, unclicked = [f"{name}-1" for name in ids], [f"{name}-0" for name in ids]
    histories = [
        " ".join([ids[number] for number in clicks])
        for clicks in _lists(_HISTORY, size.news, size.users, random)
    ]
    users = random.integers(size.users, size=size.impressions).tolist()
    shown = _lists(_SHOWN, size.news, size.impressions, random)
    # An interrupted run must not leave what looks like a whole file.
    partial = path.with_suffix(".part")
    with partial.open("w", encoding="utf-8") as file:
        for impression, (user, news) in enumerate(zip(users, shown), start=1):
            candidates = " ".join([clicked[news[0]]] + [unclicked[number] for number in news[1:]])
            file.write(
                f"{impression}\tU{user}\t11/{9 + impression % 6}/2019 8:{impression % 60:02d}:22 AM"
                f"\t{histories[user]}\t{candidates}\n"
            )
    partial.rename(path)


def write(folder: pathlib.Path, size: Size, seed: int = 1) -> None:
    """Both files."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    write_news(folder / "news.tsv", size, random)
    write_behaviors(folder / "behaviors.tsv", size, random)


def main() -> None:
    """Writes what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    for field in dataclasses.fields(Size):
        parser.add_argument(f"--{field.name}", type=int, default=field.default)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    write(given.folder, Size(given.news, given.users, given.impressions), given.seed)


if __name__ == "__main__":
    main()

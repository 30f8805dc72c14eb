"""Recommenders and summarizers, which run on LibTorch."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, overload

import numpy as np
from fastformer._texts import utf8, utf8_list
from numpy.typing import NDArray

from . import _train


class Recommender:
    """A trained recommender. Immutable: any number of threads may use it; the GIL is released."""

    def __init__(self, model: _train.Recommender, path: str) -> None:
        """Use :meth:`load`."""
        self._model, self._path = model, path

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, threads: int = 0,
             max_batch_tokens: int = 16_384) -> Recommender:
        """Loads a model directory; see :meth:`fastformer.Classifier.load`.

        Raises:
            ValueError: with one sentence, for a folder that is missing, damaged, or of another kind.
        """
        folder = os.path.abspath(path)
        return cls(_train.Recommender.load(folder, threads, max_batch_tokens), folder)

    def catalogue(self, items: str | os.PathLike[str] | Iterable[Mapping[str, str]], *,
                  index: str | os.PathLike[str] = "") -> _train.Catalogue:
        """The items to recommend, with their vectors.

        Args:
            items: a file in the format that the model was trained with (MIND's news.tsv, RecBole's
                .item, a package index), or dictionaries with ``id``, ``title`` and perhaps
                ``category``.
            index: for a file of items, a file that keeps their vectors, so that only new titles are
                encoded.

        Raises:
            ValueError: naming file and line, for items that cannot be read.
        """
        if isinstance(items, (str, os.PathLike)):
            return self._model.read_catalogue(os.fspath(items), os.fspath(index))
        rows = list(items)
        for i, row in enumerate(rows):
            missing = [name for name in ("id", "title") if name not in row]
            if missing:
                raise ValueError(f"item {i} has no {missing[0]!r}")
        return self._model.catalogue(utf8_list(row["id"] for row in rows),
                                     utf8_list(row["title"] for row in rows),
                                     utf8_list(row.get("category", "") for row in rows))

    def recommend(self, catalogue: _train.Catalogue, histories: Sequence[Sequence[str]], *,
                  candidates: Sequence[Sequence[str] | None] | None = None, top: int = 10,
                  exclude_seen: bool | None = None, explain: bool = False) -> list[dict[str, Any]]:
        """The ``top`` items of many users.

        Args:
            catalogue: from :meth:`catalogue`.
            histories: of each user the ids of the clicked items, oldest first.
            candidates: of each user the ids to rank; None: all items.
            top: number of items per user.
            exclude_seen: whether to skip the items of the history; None: only without candidates.
            explain: whether to report what each click adds to each score.

        Returns:
            Per user a dictionary: ``items`` (``id``, ``title``, ``score``, ``reasons``), best first;
            ``unknown`` ids of the history; ``unknown_candidates``; ``cold``, if no click is known.
        """
        if isinstance(histories, str) or any(isinstance(history, str) for history in histories):
            raise TypeError("histories must be lists of ids, one list per user")
        chosen = [None] * len(histories) if candidates is None else list(candidates)
        if len(chosen) != len(histories):
            raise ValueError(f"{len(histories)} histories and {len(chosen)} lists of candidates; "
                             "expected one list per user")
        if top < 1:
            raise ValueError(f"top must be at least 1, got {top}")
        return self._model.recommend(
            catalogue, [utf8_list(history) for history in histories],
            [None if ids is None else utf8_list(ids) for ids in chosen], top, exclude_seen, explain)

    def embed(self, titles: Sequence[str]) -> NDArray[np.float32]:
        """One vector per title: ``[titles, width]``."""
        return self._model.embed(utf8_list(titles))

    def embed_users(self, catalogue: _train.Catalogue,
                    histories: Sequence[Sequence[str]]) -> NDArray[np.float32]:
        """One vector per user; its product with an item's vector is the score."""
        return self._model.embed_users(catalogue, [utf8_list(history) for history in histories])

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickles the path of the model directory."""
        return Recommender.load, (self._path,)

    def __repr__(self) -> str:
        """The path."""
        return f"fastformer.Recommender({self._path!r})"


class Summarizer:
    """A trained summarizer. Immutable: any number of threads may use it; the GIL is released."""

    def __init__(self, model: _train.Summarizer, path: str) -> None:
        """Use :meth:`load`."""
        self._model, self._path = model, path

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, threads: int = 0,
             max_batch_tokens: int = 16_384) -> Summarizer:
        """Loads a model directory; see :meth:`fastformer.Classifier.load`."""
        folder = os.path.abspath(path)
        return cls(_train.Summarizer.load(folder, threads, max_batch_tokens), folder)

    @overload
    def summarize(self, documents: str, **search: Any) -> str: ...
    @overload
    def summarize(self, documents: Sequence[str], **search: Any) -> list[str]: ...
    def summarize(self, documents: Any, **search: Any) -> Any:
        """The summary of a document, or of each document of a list.

        ``search`` are fields of the recipe's section [search], such as ``method="greedy"`` or
        ``max_tokens=60``.

        Raises:
            TypeError: for anything but texts.
            ValueError: for an unknown field.
        """
        one = isinstance(documents, str)
        texts = [utf8(documents)] if one else utf8_list(documents)
        summaries = self._model.summarize(texts, json.dumps({"search": search}))
        return summaries[0] if one else summaries

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickles the path of the model directory."""
        return Summarizer.load, (self._path,)

    def __repr__(self) -> str:
        """The path."""
        return f"fastformer.Summarizer({self._path!r})"

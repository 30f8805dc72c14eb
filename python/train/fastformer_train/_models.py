"""Recommenders and summarizers, which run on LibTorch."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, overload

import numpy as np
from fastformer._arguments import integer, path_of, settings_of_load, utf8, utf8_list
from numpy.typing import NDArray

from . import _train


def plain(value: Any) -> Any:
    """NumPy's numbers and paths as what JSON has."""
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        return value.item()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise TypeError(f"a setting has type {type(value).__name__}; expected a text, a number, true or false, "
                    "or a list of them")


class Recommender:
    """A trained recommender. Immutable: any number of threads may use it; the GIL is released."""

    def __init__(self, model: _train.Recommender, settings: tuple[str, int, int]) -> None:
        """Use :meth:`load`."""
        self._model, self._settings = model, settings

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, threads: int = 0,
             max_batch_tokens: int = 16_384) -> Recommender:
        """Loads a model directory; see :meth:`fastformer.Classifier.load`.

        Raises:
            ValueError: with one sentence, for a folder that is missing, damaged, or of another kind.
        """
        settings = settings_of_load(path, threads, max_batch_tokens)
        return cls(_train.Recommender.load(*settings), settings)

    def catalogue(self, items: str | os.PathLike[str] | Iterable[Mapping[str, str]], *,
                  index: str | os.PathLike[str] = "",
                  approximate: bool = False) -> _train.Catalogue:
        """The items to recommend, with their vectors.

        Args:
            items: a file in the format that the model was trained with (MIND's news.tsv, RecBole's
                .item, a package index), or dictionaries with ``id``, ``title`` and perhaps
                ``category``.
            index: for a file of items, a file that keeps their vectors, so that only new titles are
                encoded.
            approximate: whether users are compared with the items near them instead of with all,
                for more than about 100,000 items; finds nearly all of the best ones.

        Raises:
            ValueError: naming file and line, for items that cannot be read.
        """
        if isinstance(items, (str, os.PathLike)):
            return self._model.read_catalogue(path_of(items, "items"),
                                              path_of(index, "index") if index else "", approximate)
        if index:
            raise ValueError("index is for a file of items, not for items in memory")
        if hasattr(items, "to_dict"):  # a pandas table
            items = items.to_dict("records")
        rows = [items] if isinstance(items, Mapping) else list(items)
        for i, row in enumerate(rows):
            if not isinstance(row, Mapping):
                raise TypeError(f"items[{i}] has type {type(row).__name__}; expected a dictionary")
            missing = [name for name in ("id", "title") if name not in row]
            if missing:
                raise ValueError(f"item {i} has no {missing[0]!r}")
        categories = [row.get("category", "") for row in rows]
        return self._model.catalogue(
            utf8_list([row["id"] for row in rows], "ids"),
            utf8_list([row["title"] for row in rows], "titles"),
            utf8_list([one if isinstance(one, str) else "" for one in categories], "categories"), approximate)

    def recommend(self, catalogue: _train.Catalogue, histories: Sequence[Sequence[str]], *,
                  candidates: Sequence[Sequence[str] | None] | None = None, top: int = 10,
                  exclude_seen: bool | None = None, explain: bool = False,
                  diversity: float = 0.0) -> list[dict[str, Any]]:
        """The ``top`` items of many users.

        Args:
            catalogue: from :meth:`catalogue`.
            histories: of each user the ids of the clicked items, oldest first.
            candidates: of each user the ids to rank; None: all items.
            top: number of items per user.
            exclude_seen: whether to skip the items of the history; None: only without candidates.
            explain: whether to report what each click adds to each score.
            diversity: from 0, the items with the highest scores, to 1: of the ``10 * top`` best
                items, those that differ most in their titles (maximal marginal relevance).

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
        return self._model.recommend(
            catalogue,
            [utf8_list(history, f"histories[{i}]") for i, history in enumerate(histories)],
            [None if ids is None else utf8_list(ids, f"candidates[{i}]") for i, ids in enumerate(chosen)],
            integer(top, "top", 1), exclude_seen, bool(explain), float(diversity))

    def embed(self, titles: Sequence[str]) -> NDArray[np.float32]:
        """One vector per title: ``[titles, width]``."""
        return self._model.embed(utf8_list(titles, "titles"))

    def embed_users(self, catalogue: _train.Catalogue,
                    histories: Sequence[Sequence[str]]) -> NDArray[np.float32]:
        """One vector per user; its product with an item's vector is the score of titles."""
        return self._model.embed_users(
            catalogue, [utf8_list(history, f"histories[{i}]") for i, history in enumerate(histories)])

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickles the path of the model directory and the settings, not the weights."""
        return _load_recommender, self._settings

    def __repr__(self) -> str:
        """The path."""
        return f"fastformer.Recommender({self._settings[0]!r})"


class Summarizer:
    """A trained summarizer. Immutable: any number of threads may use it; the GIL is released."""

    def __init__(self, model: _train.Summarizer, settings: tuple[str, int, int]) -> None:
        """Use :meth:`load`."""
        self._model, self._settings = model, settings

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, threads: int = 0,
             max_batch_tokens: int = 16_384) -> Summarizer:
        """Loads a model directory; see :meth:`fastformer.Classifier.load`."""
        settings = settings_of_load(path, threads, max_batch_tokens)
        return cls(_train.Summarizer.load(*settings), settings)

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
        texts = [utf8(documents)] if one else utf8_list(documents, "documents")
        summaries = self._model.summarize(texts, json.dumps({"search": search}, default=plain))
        return summaries[0] if one else summaries

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickles the path of the model directory and the settings, not the weights."""
        return _load_summarizer, self._settings

    def __repr__(self) -> str:
        """The path."""
        return f"fastformer.Summarizer({self._settings[0]!r})"


class RankedDocument:
    """A document with a score for each sentence, from :meth:`ExtractiveSummarizer.rank`.

    Attributes:
        sentences: of each sentence a dictionary: ``index``, ``begin`` and ``end`` (places in the
            document), ``score`` from 0 to 1, ``kind`` (sentence, heading, list item or caption) and
            ``text``.
        truncated: whether the model did not read the end of the document.
    """

    def __init__(self, ranked: _train.RankedDocument) -> None:
        """Made by :meth:`ExtractiveSummarizer.rank`."""
        self._ranked = ranked
        self.truncated: bool = ranked.truncated

    @functools.cached_property
    def sentences(self) -> list[dict[str, Any]]:
        """The sentences in the order of the document."""
        sentences: list[dict[str, Any]] = json.loads(self._ranked.sentences())
        return sentences

    def summarize(self, **selection: Any) -> str:
        """A summary within other limits; the document is not read again.

        ``selection`` are fields of the recipe's section [selection]: ``sentences``, ``words`` and
        ``ratio`` (one of these three resets the other two), ``redundancy`` and ``mmr_weight``.
        """
        return self._ranked.summarize(json.dumps({"selection": selection}, default=plain))[0]

    def chosen(self, **selection: Any) -> list[int]:
        """The indices of the sentences of that summary."""
        return self._ranked.summarize(json.dumps({"selection": selection}, default=plain))[1]


class ExtractiveSummarizer:
    """A trained extractive summarizer, which chooses sentences of the document.

    Immutable: any number of threads may use it; the GIL is released.
    """

    def __init__(self, model: _train.ExtractiveSummarizer, settings: tuple[str, int, int]) -> None:
        """Use :meth:`load`."""
        self._model, self._settings = model, settings

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, threads: int = 0,
             max_batch_tokens: int = 16_384) -> ExtractiveSummarizer:
        """Loads a model directory; see :meth:`fastformer.Classifier.load`."""
        settings = settings_of_load(path, threads, max_batch_tokens)
        return cls(_train.ExtractiveSummarizer.load(*settings), settings)

    @overload
    def rank(self, documents: str) -> RankedDocument: ...
    @overload
    def rank(self, documents: Sequence[str]) -> list[RankedDocument]: ...
    def rank(self, documents: Any) -> Any:
        """The scores of the sentences of a document, or of each document of a list."""
        one = isinstance(documents, str)
        texts = [utf8(documents)] if one else utf8_list(documents, "documents")
        ranked = [RankedDocument(document) for document in self._model.rank(texts)]
        return ranked[0] if one else ranked

    @overload
    def summarize(self, documents: str, **selection: Any) -> str: ...
    @overload
    def summarize(self, documents: Sequence[str], **selection: Any) -> list[str]: ...
    def summarize(self, documents: Any, **selection: Any) -> Any:
        """The summary of a document, or of each document of a list.

        ``selection`` are fields of the recipe's section [selection], see
        :meth:`RankedDocument.summarize`.

        Raises:
            TypeError: for anything but texts.
            ValueError: for an unknown field.
        """
        ranked = self.rank(documents)
        if isinstance(ranked, RankedDocument):
            return ranked.summarize(**selection)
        return [document.summarize(**selection) for document in ranked]

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickles the path of the model directory and the settings, not the weights."""
        return _load_extractive, self._settings

    def __repr__(self) -> str:
        """The path."""
        return f"fastformer.ExtractiveSummarizer({self._settings[0]!r})"


def _load_extractive(path: str, threads: int, max_batch_tokens: int) -> ExtractiveSummarizer:
    return ExtractiveSummarizer.load(path, threads=threads, max_batch_tokens=max_batch_tokens)


def _load_recommender(path: str, threads: int, max_batch_tokens: int) -> Recommender:
    return Recommender.load(path, threads=threads, max_batch_tokens=max_batch_tokens)


def _load_summarizer(path: str, threads: int, max_batch_tokens: int) -> Summarizer:
    return Summarizer.load(path, threads=threads, max_batch_tokens=max_batch_tokens)

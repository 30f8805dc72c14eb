"""ROUGE (Lin 2004) with the results of Google's package rouge-score, many times as fast.

>>> from fastformer.rouge import RougeScorer
>>> scorer = RougeScorer(["rouge1", "rougeLsum"], use_stemmer=True)
>>> scorer.score("The cat sat down", "A cat sat")["rouge1"].recall
0.5
>>> scorer.score_pairs(["The cat sat down", "It rains"], ["A cat sat", "It rained"])["rouge1"].shape
(2, 3)

The class has the interface of ``rouge_score.rouge_scorer.RougeScorer``, without ROUGE-3 to -9, splitting
into sentences, and tokenizer objects. :meth:`RougeScorer.score_pairs` scores lists of pairs on all cores.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import _runtime
from ._arguments import MOST_THREADS, integer, utf8_list

__all__ = ["RougeScorer", "Score"]

_TYPES = ("rouge1", "rouge2", "rougeL", "rougeLsum")


class Score(NamedTuple):
    """Precision, recall, and their harmonic mean."""

    precision: float
    recall: float
    fmeasure: float


class RougeScorer:
    """Computes ROUGE-1, -2, -L and -Lsum of predictions against references."""

    def __init__(self, rouge_types: Sequence[str], use_stemmer: bool = False,
                 split_summaries: bool = False, tokenizer: str = "rouge") -> None:
        """Chooses the scores and the words.

        Args:
            rouge_types: any of ``rouge1``, ``rouge2``, ``rougeL`` and ``rougeLsum``.
            use_stemmer: whether words are compared by their Porter stems.
            split_summaries: must be false: for ``rougeLsum``, each line is a sentence.
            tokenizer: ``rouge`` (runs of a-z and 0-9, as in rouge-score), ``unicode`` (words of any
                script) or ``character``.

        Raises:
            ValueError: for another type or tokenizer, or with ``split_summaries``.
        """
        if isinstance(rouge_types, str) or not isinstance(rouge_types, Iterable):
            raise TypeError(f"rouge_types is {rouge_types!r}; expected a list such as ['rouge1']")
        self.rouge_types = list(rouge_types)
        for name in self.rouge_types:
            if name not in _TYPES:
                raise ValueError(f"{name!r} is not one of the types {', '.join(_TYPES)}")
        if split_summaries:
            raise ValueError("split_summaries is not supported; put each sentence on a line of its own")
        if not isinstance(tokenizer, str):
            raise TypeError(f"tokenizer has type {type(tokenizer).__name__}; expected 'rouge', 'unicode' or "
                            "'character'")
        if use_stemmer and tokenizer != "rouge":
            raise ValueError(f"use_stemmer is for English, with the tokenizer 'rouge', not {tokenizer!r}")
        self._settings = (bool(use_stemmer), tokenizer)
        _runtime.rouge([], [], *self._settings, 1)  # raises for an unknown tokenizer

    def score(self, target: str, prediction: str) -> dict[str, Score]:
        """The scores of one pair, by type. ``target`` is the reference.

        Raises:
            TypeError: for anything but texts.
            ValueError: for a text of more than 65,536 words or 4,096 lines.
        """
        for name, text in (("target", target), ("prediction", prediction)):
            if not isinstance(text, str):
                raise TypeError(f"{name} has type {type(text).__name__}; expected str")
        return {name: Score(*map(float, rows[0]))
                for name, rows in self.score_pairs([target], [prediction], threads=1).items()}

    def score_multi(self, targets: Sequence[str], prediction: str) -> dict[str, Score]:
        """For each type the score with the largest F of several references."""
        references = utf8_list(targets, "targets")
        if not references:
            raise ValueError("targets is empty; expected at least one reference")
        scores = self.score_pairs(references, [prediction] * len(references), threads=1)
        return {name: Score(*map(float, rows[int(np.argmax(rows[:, 2]))]))
                for name, rows in scores.items()}

    def score_pairs(self, targets: Iterable[str], predictions: Iterable[str],
                    threads: int = 0) -> dict[str, NDArray[np.float64]]:
        """The scores of many pairs: by type, an array [pairs, 3] of precision, recall and F.

        Args:
            targets: the references.
            predictions: the text to judge of each reference.
            threads: CPU cores to use; 0: all that the process may use.

        Raises:
            TypeError: for anything but texts.
            ValueError: for lists of unequal lengths, and as :meth:`score`, with the number of the pair.
        """
        references, candidates = utf8_list(targets, "targets"), utf8_list(predictions, "predictions")
        if len(references) != len(candidates):
            raise ValueError(f"{len(references)} targets and {len(candidates)} predictions; expected "
                             "one prediction for each target")
        values = _runtime.rouge(references, candidates, *self._settings,
                                integer(threads, "threads", 0, MOST_THREADS))
        values = values.reshape(len(references), len(_TYPES), 3)
        return {name: values[:, _TYPES.index(name)] for name in self.rouge_types}

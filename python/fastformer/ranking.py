"""The ranking metrics of MIND's official evaluation (Wu et al. 2020): AUC, MRR, nDCG@5 and nDCG@10.

>>> from fastformer import ranking
>>> ranking.mrr_score([0, 1, 0], [0.1, 0.4, 0.7])
0.5
>>> ranking.mean([0, 1, 0, 1, 0], [0.1, 0.4, 0.7, 2.0, 1.0], offsets=[0, 3, 5])["auc"]
0.75

``mrr_score`` and ``ndcg_score`` have the interface of the official script. Where scores are equal, the
later candidate comes first, as in ``numpy.argsort(scores, kind="stable")[::-1]``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _runtime

__all__ = ["auc_score", "mean", "metrics", "mrr_score", "ndcg_score", "score"]


def metrics() -> list[str]:
    """The names of the metrics, in the order of the columns of :func:`score`."""
    return _runtime.ranking_metrics()


def score(relevant: ArrayLike, scores: ArrayLike, offsets: ArrayLike) -> NDArray[np.float64]:
    """The metrics of each impression.

    Args:
        relevant: 1 for each clicked candidate, else 0; all impressions one after another.
        scores: the score of each candidate.
        offsets: impression i has the candidates ``offsets[i]`` to ``offsets[i + 1] - 1``.

    Returns:
        An array [impressions, metrics]; a row of NaN for an impression without clicks, or with only
        clicks, which MIND's evaluation skips.

    Raises:
        ValueError: for arrays that do not fit together, and for scores that are NaN.
    """
    clicks, values = np.asarray(relevant), np.asarray(scores, dtype=np.float64)
    bounds = np.asarray(offsets)
    if clicks.ndim != 1 or clicks.shape != values.shape:
        raise ValueError(f"relevant has shape {clicks.shape} and scores {values.shape}; expected two "
                         "lists of the same length")
    if not np.isin(clicks, (0, 1)).all():
        raise ValueError("relevant contains a number other than 0 and 1")
    fits = (bounds.ndim == 1 and bounds.size > 0 and np.issubdtype(bounds.dtype, np.integer)
            and bounds[0] == 0 and bounds[-1] == clicks.size)
    if not fits or (bounds[1:] < bounds[:-1]).any():
        raise ValueError("offsets must be integers that rise from 0 to the number of candidates, "
                         f"{clicks.size}")
    if np.isnan(values).any():
        raise ValueError(f"scores[{np.isnan(values).argmax()}] is NaN")
    return _runtime.rank(np.ascontiguousarray(clicks, dtype=np.uint8), np.ascontiguousarray(values),
                         np.ascontiguousarray(bounds, dtype=np.int64))


def mean(relevant: ArrayLike, scores: ArrayLike, offsets: ArrayLike) -> dict[str, float]:
    """The mean of each metric over the impressions that have a value.

    Raises:
        ValueError: as :func:`score`, and if no impression has a value.
    """
    values = score(relevant, scores, offsets)
    values = values[~np.isnan(values[:, 0])]
    if not len(values):
        raise ValueError("no impression has both clicked and other candidates")
    return dict(zip(metrics(), values.mean(axis=0).tolist(), strict=True))


def _of_one(name: str, relevant: ArrayLike, scores: ArrayLike) -> float:
    row = score(relevant, scores, [0, np.size(np.asarray(relevant))])[0]
    if np.isnan(row[0]):
        raise ValueError("y_true has no clicked candidate, or no other")
    return float(row[metrics().index(name)])


def auc_score(y_true: ArrayLike, y_score: ArrayLike) -> float:
    """The share of the pairs (clicked, not clicked) in the right order; ties count one half."""
    return _of_one("auc", y_true, y_score)


def mrr_score(y_true: ArrayLike, y_score: ArrayLike) -> float:
    """The mean of 1 / rank over all clicked candidates of one impression."""
    return _of_one("mrr", y_true, y_score)


def ndcg_score(y_true: ArrayLike, y_score: ArrayLike, k: int = 10) -> float:
    """nDCG@k of one impression; ``k`` is 5 or 10."""
    if isinstance(k, bool) or k not in (5, 10):
        raise ValueError(f"k must be 5 or 10, got {k}")
    return _of_one(f"ndcg_{int(k)}", y_true, y_score)

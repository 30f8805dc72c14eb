"""Writes rankings and what MIND's official evaluation says about them, as JSON.

Usage: ranking_cases.py FILE

The file holds {"cases": [{"labels", "scores", "auc", "mrr", "ndcg_5", "ndcg_10"}], "mean": {...}}.
The formulas follow the evaluation script of MIND (Wu et al. 2020); its numpy.argsort leaves open
how equal scores are ordered, here it is stable.
"""

from __future__ import annotations

import json
import pathlib
import sys

import numpy as np
from sklearn.metrics import roc_auc_score


def _order(scores: np.ndarray) -> np.ndarray:
    """Positions by falling score."""
    return np.argsort(scores, kind="stable")[::-1]


def _dcg(labels: np.ndarray, scores: np.ndarray, k: int) -> float:
    taken = np.take(labels, _order(scores)[:k])
    gains = 2.0**taken - 1
    return float(np.sum(gains / np.log2(np.arange(len(taken)) + 2)))


def ndcg(labels: np.ndarray, scores: np.ndarray, k: int) -> float:
    """DCG over that of the best order."""
    return _dcg(labels, scores, k) / _dcg(labels, labels, k)


def mrr(labels: np.ndarray, scores: np.ndarray) -> float:
    """The reciprocal ranks of all clicked news over their number."""
    taken = np.take(labels, _order(scores))
    return float(np.sum(taken / (np.arange(len(taken)) + 1)) / np.sum(taken))


def evaluate(labels: np.ndarray, scores: np.ndarray) -> dict[str, float]:
    """All four numbers of one impression."""
    return {
        "auc": float(roc_auc_score(labels, scores)),
        "mrr": mrr(labels, scores),
        "ndcg_5": ndcg(labels, scores, 5),
        "ndcg_10": ndcg(labels, scores, 10),
    }


def main() -> None:
    """Impressions of 2 to 60 news with one click or several, with and without equal scores."""
    draw = np.random.default_rng(1)
    cases = []
    for i in range(400):
        count = int(draw.integers(2, 60))
        clicks = 1 if i % 2 else int(draw.integers(1, count))
        labels = draw.permutation(np.arange(count) < clicks).astype(int)
        scores = draw.normal(size=count)
        if i % 4 > 1:
            scores = np.round(scores * draw.choice([0.01, 1, 3]))
        numbers = evaluate(labels, scores)
        cases.append({"labels": labels.tolist(), "scores": scores.tolist(), **numbers})
    mean = {name: float(np.mean([case[name] for case in cases])) for name in cases[0]
            if name not in ("labels", "scores")}
    text = json.dumps({"cases": cases, "mean": mean})
    pathlib.Path(sys.argv[1]).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

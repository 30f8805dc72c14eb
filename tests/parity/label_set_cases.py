"""Writes documents with several labels and what scikit-learn says about their predictions, as JSON.

Usage: label_set_cases.py FILE

The file holds {"cases": [{"labels", "scores", "predicted": [documents][labels], one number for each
metric, "per_label": [[precision, recall, f1, support]]}]}. Among the cases are labels without
positives or predictions, documents without labels and with all of them, and equal scores.
"""

from __future__ import annotations

import json
import pathlib
import sys

import numpy as np
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    label_ranking_average_precision_score,
    precision_recall_fscore_support,
    precision_score,
)


def _precision_at(depth: int, labels: np.ndarray, scores: np.ndarray) -> float:
    """The precision of the documents' best labels, the first of equal ones."""
    best = np.zeros_like(labels)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :depth]
    np.put_along_axis(best, order, 1, axis=1)
    return float(precision_score(labels, best, average="samples", zero_division=0))


def evaluate(labels: np.ndarray, scores: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """All scores of one set of documents."""
    return {
        "micro_f1": float(f1_score(labels, predicted, average="micro", zero_division=0)),
        "macro_f1": float(f1_score(labels, predicted, average="macro", zero_division=0)),
        "subset_accuracy": float(accuracy_score(labels, predicted)),
        **{f"precision_at_{k}": _precision_at(k, labels, scores) for k in (1, 3, 5)},
        "ranking_average_precision": float(label_ranking_average_precision_score(labels, scores)),
    }


def main() -> None:
    """Cases of 1 to 60 documents and 2 to 20 labels."""
    draw = np.random.default_rng(1)
    cases = []
    for i in range(200):
        documents, count = int(draw.integers(1, 60)), int(draw.integers(2, 20))
        shares = draw.choice([0.0, 0.02, 0.2, 0.6, 1.0], size=count)
        labels = (draw.random((documents, count)) < shares).astype(int)
        labels[draw.random(documents) < 0.1] = 0
        labels[draw.random(documents) < 0.05] = 1
        scores = draw.normal(size=(documents, count)) + draw.choice([0, 1, 3]) * labels
        if i % 3 == 0:
            scores = np.round(scores)
        predicted = (scores > draw.choice([-1, 0.5, 2, 9])).astype(int)
        table = precision_recall_fscore_support(labels, predicted, average=None, zero_division=0)
        cases.append({
            "labels": labels.tolist(),
            "scores": scores.tolist(),
            "predicted": predicted.tolist(),
            "per_label": np.stack(table, axis=1).tolist(),
            **evaluate(labels, scores, predicted),
        })
    pathlib.Path(sys.argv[1]).write_text(json.dumps({"cases": cases}), encoding="utf-8")


if __name__ == "__main__":
    main()

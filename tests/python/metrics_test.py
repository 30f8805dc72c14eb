"""fastformer.rouge against rouge-score, and fastformer.ranking against MIND's official formulas."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("fastformer", reason="build it: scripts/test, or pip install .")
from fastformer import ranking  # noqa: E402
from fastformer.rouge import RougeScorer  # noqa: E402
from rouge_score import rouge_scorer  # noqa: E402
from sklearn.metrics import roc_auc_score  # noqa: E402

_TYPES = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
_WORDS = st.sampled_from(["The", "cats", "sat", "running", "ran", ".", "\n", "déjà", "3.5", "東京", "a-b"])
_TEXT = st.lists(_WORDS, max_size=30).map(" ".join)


@pytest.mark.parametrize("stem", [False, True])
@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(_TEXT, _TEXT), min_size=1, max_size=4))
def test_rouge_equals_rouge_score(stem, pairs):
    ours, peer = RougeScorer(_TYPES, use_stemmer=stem), rouge_scorer.RougeScorer(_TYPES, use_stemmer=stem)
    many = ours.score_pairs(*zip(*pairs, strict=True))
    for i, (target, prediction) in enumerate(pairs):
        expected, found = peer.score(target, prediction), ours.score(target, prediction)
        assert list(found) == _TYPES
        for name in _TYPES:
            assert found[name] == pytest.approx(tuple(expected[name]), abs=1e-12)
            assert tuple(many[name][i]) == found[name]
    targets = [target for target, _ in pairs]
    expected, found = peer.score_multi(targets, pairs[0][1]), ours.score_multi(targets, pairs[0][1])
    for name in _TYPES:
        assert found[name] == pytest.approx(tuple(expected[name]), abs=1e-12)


def test_rouge_scores_only_what_is_asked_for_and_other_scripts():
    assert list(RougeScorer(["rougeL"]).score("a b", "a")) == ["rougeL"]
    assert RougeScorer(["rouge1"]).score("東京", "東京")["rouge1"].fmeasure == 0
    assert RougeScorer(["rouge1"], tokenizer="character").score("東京", "東")["rouge1"].recall == 0.5
    assert RougeScorer(_TYPES).score_pairs([], [])["rouge2"].shape == (0, 3)


def test_rouge_names_wrong_arguments():
    with pytest.raises(ValueError, match="'rouge7' is not one of the types rouge1"):
        RougeScorer(["rouge7"])
    with pytest.raises(ValueError, match="split_summaries is not supported"):
        RougeScorer(_TYPES, split_summaries=True)
    with pytest.raises(ValueError, match="tokenizer"):
        RougeScorer(_TYPES, tokenizer="words")
    scorer = RougeScorer(_TYPES)
    with pytest.raises(ValueError, match="2 targets and 1 predictions"):
        scorer.score_pairs(["a", "b"], ["a"])
    with pytest.raises(TypeError, match="target has type NoneType; expected str"):
        scorer.score(None, "a")
    with pytest.raises(ValueError, match="pair 1: .*65,?536"):
        scorer.score_pairs(["a", "a " * 70_000], ["a", "a"])
    with pytest.raises(TypeError, match="rouge_types is 'rouge1'; expected a list"):
        RougeScorer("rouge1")
    with pytest.raises(ValueError, match="use_stemmer is for English"):
        RougeScorer(_TYPES, use_stemmer=True, tokenizer="unicode")
    with pytest.raises(ValueError, match="at least one reference"):
        scorer.score_multi([], "a")


def _dcg(y_true, y_score, k):
    order = np.argsort(y_score, kind="stable")[::-1]
    gains = 2.0 ** np.take(y_true, order[:k]) - 1
    return (gains / np.log2(np.arange(len(gains)) + 2)).sum()


def _official(y_true, y_score):
    """AUC, MRR, nDCG@5 and nDCG@10 as in MIND's evaluate.py, with stable sorting."""
    order = np.argsort(y_score, kind="stable")[::-1]
    ranked = np.take(y_true, order)
    mrr = (ranked / (np.arange(len(ranked)) + 1)).sum() / ranked.sum()
    return [roc_auc_score(y_true, y_score), mrr,
            *(_dcg(y_true, y_score, k) / _dcg(y_true, y_true, k) for k in (5, 10))]


def test_ranking_equals_the_official_metrics():
    generator = np.random.default_rng(1)
    sizes = generator.integers(1, 30, 300)
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    relevant = generator.integers(0, 2, offsets[-1])
    scores = generator.integers(0, 8, offsets[-1]) / 4  # with ties
    values = ranking.score(relevant, scores, offsets)
    assert ranking.metrics() == ["auc", "mrr", "ndcg_5", "ndcg_10"] and values.shape == (300, 4)
    kept = []
    for i, row in enumerate(values):
        y_true, y_score = (x[offsets[i]:offsets[i + 1]] for x in (relevant, scores))
        if 0 < y_true.sum() < len(y_true):
            kept.append(_official(y_true, y_score))
            assert row == pytest.approx(kept[-1], abs=1e-12)
            one = [ranking.auc_score(y_true, y_score), ranking.mrr_score(y_true, y_score),
                   ranking.ndcg_score(y_true, y_score, k=5), ranking.ndcg_score(y_true, y_score)]
            assert one == row.tolist()
        else:
            assert np.isnan(row).all()
    assert 0 < len(kept) < 300
    assert list(ranking.mean(relevant, scores, offsets).values()) == pytest.approx(
        np.mean(kept, axis=0))


def test_ranking_names_wrong_arguments():
    for arguments, message in [
        (([0, 1], [1.0], [0, 2]), "expected two lists of the same length"),
        (([0, 2], [1.0, 2.0], [0, 2]), "other than 0 and 1"),
        (([0, 1], [1.0, 2.0], [0, 3]), "rise from 0 to the number of candidates, 2"),
        (([0, 1], [1.0, 2.0], [0, 2, 1, 2]), "rise from 0"),
        (([0, 1], [1.0, 2.0], [0, 2.5]), "offsets must be integers"),
        (([0, 1], [1.0, 2.0], np.array([0, 9, 2], dtype=np.uint8)), "offsets must be integers that rise"),
        (([0, 1], [1.0, 2.0], np.array([0, 2**63 + 5, 2], dtype=np.uint64)), "that rise"),
        (([0, 1], [1.0, np.nan], [0, 2]), r"scores\[1\] is NaN"),
    ]:
        with pytest.raises(ValueError, match=message):
            ranking.score(*arguments)
    with pytest.raises(ValueError, match="no impression has both"):
        ranking.mean([1, 1], [0.0, 1.0], [0, 2])
    with pytest.raises(ValueError, match="no clicked candidate"):
        ranking.mrr_score([0, 0], [0.0, 1.0])
    with pytest.raises(ValueError, match="k must be 5 or 10"):
        ranking.ndcg_score([0, 1], [0.0, 1.0], k=3)

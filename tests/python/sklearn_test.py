"""The estimators in the places where scikit-learn uses them."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks

pytest.importorskip("fastformer_train", reason="build it: scripts/test, or pip install ./python/train")
from fastformer.sklearn import FastformerClassifier, FastformerEmbedder  # noqa: E402

_TEXTS = ["great chair", "it broke", "fine table", "bad lamp"] * 20
_LABELS = ["good", "bad", "good", "bad"] * 20
_SETTINGS = {"width": 16, "heads": 2, "epochs": 2}


@pytest.fixture(scope="module", name="fitted")
def _fitted():
    return FastformerClassifier(**_SETTINGS).fit(_TEXTS, _LABELS)


@pytest.mark.parametrize("texts", [_TEXTS, np.array(_TEXTS), pd.Series(_TEXTS),
                                   np.array(_TEXTS, dtype=object)[:, None]])
def test_classifies(fitted, texts):
    assert fitted.classes_.tolist() == ["bad", "good"]
    assert fitted.predict(texts).tolist() == _LABELS
    probabilities = fitted.predict_proba(texts)
    assert probabilities.shape == (80, 2) and np.allclose(probabilities.sum(axis=1), 1)
    assert (fitted.classes_[probabilities.argmax(axis=1)] == _LABELS).all()
    assert fitted.score(texts, _LABELS) == 1


def test_keeps_the_type_and_order_of_labels():
    numbers = [10, 9, 10, 9] * 20
    model = FastformerClassifier(**_SETTINGS).fit(_TEXTS, numbers)
    assert model.classes_.tolist() == [9, 10] and model.predict(["great chair"]).tolist() == [10]


@pytest.mark.parametrize("dtype", ["Int64", "boolean", "string"])
def test_keeps_the_types_of_nullable_labels(dtype):
    values = {"Int64": [2**53, 2**53 + 1], "boolean": [False, True], "string": ["a", "b"]}[dtype]
    labels = pd.Series([values[i % 2] for i in range(80)], dtype=dtype)
    model = FastformerClassifier(**_SETTINGS, random_state=np.random.RandomState(0)).fit(_TEXTS, labels)
    assert model.classes_.tolist() == values
    assert model.predict(_TEXTS).tolist() == labels.tolist()
    with pytest.raises(ValueError, match="y has missing labels"):
        model.fit(_TEXTS, labels.mask(labels.index == 3))


def test_pickled_models_are_complete(fitted):
    copy = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(copy.predict_proba(_TEXTS), fitted.predict_proba(_TEXTS))
    again = pickle.loads(pickle.dumps(copy))
    assert np.array_equal(again.predict_proba(_TEXTS), fitted.predict_proba(_TEXTS))
    unfitted = pickle.loads(pickle.dumps(clone(fitted)))
    with pytest.raises(NotFittedError):
        unfitted.predict(_TEXTS)


def test_grids_folds_and_pipelines(fitted):
    search = GridSearchCV(clone(fitted), {"width": np.array([8, 16]), "linear": [True, False]}, cv=2, n_jobs=2)
    assert search.fit(_TEXTS, _LABELS).best_score_ == 1
    assert cross_val_score(clone(fitted), _TEXTS, _LABELS, cv=2).tolist() == [1, 1]
    pipeline = make_pipeline(FastformerEmbedder(**_SETTINGS), LogisticRegression())
    assert pipeline.fit(_TEXTS, _LABELS).score(_TEXTS, _LABELS) == 1
    assert pipeline[0].transform(["a"]).shape == (1, 16)
    assert pipeline[0].get_feature_names_out().tolist()[:2] == ["fastformer0", "fastformer1"]


def test_several_labels():
    indicators = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 1], [0, 1, 0]] * 20)
    model = FastformerClassifier(width=16, epochs=10, settings={"model.heads": 2}).fit(_TEXTS, indicators)
    assert np.array_equal(model.predict(_TEXTS), indicators)
    assert model.predict_proba(["great chair"]).shape == (1, 3)


@pytest.mark.parametrize(("texts", "labels", "message"), [
    ([1, 2], ["a", "b"], r"X\[0\] has type int; expected a text"),
    ("text", ["a"], "X has type str"),
    (np.zeros((2, 2)), ["a", "b"], r"X has shape \(2, 2\)"),
    (["a"], ["a", "b"], "X has 1 texts and y 2 labels"),
    ([], [], "X has no texts"),
    (["a", "b"], ["x", "x"], "y has 1 class"),
    (["a", "b"], [[1, 2], [0, 1]], "not only zeros and ones"),
    (["a", "b"], [["0", "1"], ["1", "0"]], "not only zeros and ones"),
    (["a", "b"], [["x"], ["x", "y"]], "MultiLabelBinarizer"),
    (["a", "b"], None, "y is missing"),
    (["a", "b"], ["x", None], "missing"),
    (["a", "b"], [0.5, 1.5], "continuous"),
    ({"a", "b"}, ["x", "y"], "X has type set"),
    (["a", "b"], iter(["x", "y"]), "y has type list_iterator"),
])
def test_wrong_arguments_are_named(texts, labels, message):
    with pytest.raises(ValueError, match=message):
        FastformerClassifier().fit(texts, labels)


# The other checks of scikit-learn give the estimator arrays of numbers as X.
_CHECKS = [
    estimator_checks.check_estimator_cloneable, estimator_checks.check_estimator_repr,
    estimator_checks.check_parameters_default_constructible,
    estimator_checks.check_get_params_invariance, estimator_checks.check_set_params,
    estimator_checks.check_no_attributes_set_in_init,
    estimator_checks.check_do_not_raise_errors_in_init_or_set_params,
    estimator_checks.check_estimator_tags_renamed, estimator_checks.check_valid_tag_types,
    estimator_checks.check_mixin_order,
]


@pytest.mark.parametrize("estimator", [FastformerClassifier(), FastformerEmbedder()],
                         ids=lambda estimator: type(estimator).__name__)
@pytest.mark.parametrize("check", _CHECKS, ids=lambda check: check.__name__)
def test_scikit_learns_own_checks(check, estimator):
    check(type(estimator).__name__, clone(estimator))

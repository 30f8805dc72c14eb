"""Estimators for scikit-learn, with texts as input.

>>> from fastformer.sklearn import FastformerClassifier
>>> from sklearn.model_selection import GridSearchCV
>>> search = GridSearchCV(FastformerClassifier(epochs=4), {"width": [32, 64]})
>>> search.fit(texts, labels).predict(["a great chair"])

Training needs the package ``fastformer-train``. A pickled estimator contains its model.
"""

from __future__ import annotations

import pathlib
import tempfile
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_is_fitted

import fastformer
from fastformer._arguments import is_missing

__all__ = ["FastformerClassifier", "FastformerEmbedder"]


def _texts(X: Any) -> list[str]:  # noqa: N803  (scikit-learn's name)
    """The texts of a list, a series, or an array with one column."""
    if isinstance(X, (Mapping, Set)):
        raise ValueError(f"X has type {type(X).__name__}; expected a list of texts")
    if hasattr(X, "to_numpy"):
        X = X.to_numpy()  # noqa: N806
    if isinstance(X, np.ndarray):
        if X.ndim == 2 and X.shape[1] == 1:
            X = X[:, 0]  # noqa: N806
        if X.ndim != 1:
            raise ValueError(f"X has shape {X.shape}; expected a list of texts")
        X = X.tolist()  # noqa: N806
    if isinstance(X, str) or not isinstance(X, Iterable):
        raise ValueError(f"X has type {type(X).__name__}; expected a list of texts")
    texts = list(X)
    for i, text in enumerate(texts):
        if not isinstance(text, str):
            raise ValueError(f"X[{i}] has type {type(text).__name__}; expected a text (str)")
    return texts


def _labels(y: Any) -> NDArray[Any]:
    """``y`` as an array of one or two dimensions without missing values."""
    if isinstance(y, (str, Mapping, Set)) or not hasattr(y, "__len__"):
        raise ValueError(f"y has type {type(y).__name__}; expected a list of labels")
    if hasattr(y, "isna"):  # a pandas column or table, whose nullable types NumPy would make floats
        if np.asarray(y.isna()).any():
            raise ValueError("y has missing labels")
        if hasattr(y.dtype if hasattr(y, "dtype") else None, "numpy_dtype"):
            y = y.to_numpy(dtype=y.dtype.numpy_dtype)
    try:
        labels = check_array(y, ensure_2d=False, dtype=None, ensure_min_samples=0, input_name="y")
    except ValueError as error:
        if "inhomogeneous" not in str(error):
            raise
        raise ValueError("y has lists of labels; use sklearn.preprocessing.MultiLabelBinarizer") from error
    if labels.dtype == object and any(map(is_missing, labels.ravel())):
        raise ValueError("y has missing labels")
    return labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels


class _Trained(BaseEstimator):
    """What both estimators have in common: the settings, training, and a model that can be pickled."""

    def __init__(self, *, width: int | None = None, heads: int | None = None,
                 layers: int | None = None, epochs: int | None = None,
                 learning_rate: float | None = None, linear: bool = True, threads: int = 0,
                 random_state: int | None = None, settings: Mapping[str, Any] | None = None) -> None:
        """Settings of training; None leaves the recipe's default.

        Args:
            width, heads, layers: of the network; the width is a multiple of the heads.
            epochs, learning_rate: of training.
            linear: whether linear classifiers of n-grams join the network.
            threads: CPU cores to use; 0: all.
            random_state: the seed, or a RandomState.
            settings: any other fields of a recipe, such as ``{"model.dropout": 0.1}``.
        """
        self.width = width
        self.heads = heads
        self.layers = layers
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.linear = linear
        self.threads = threads
        self.random_state = random_state
        self.settings = settings

    def _settings(self) -> dict[str, Any]:
        seed = self.random_state
        if isinstance(seed, np.random.RandomState):
            seed = int(seed.randint(2**31 - 1))
        named = {"model.width": self.width, "model.heads": self.heads, "model.layers": self.layers,
                 "train.epochs": self.epochs, "train.learning_rate": self.learning_rate, "train.seed": seed,
                 "train.threads": self.threads or None}
        settings = {key: value for key, value in named.items() if value is not None}
        if not self.linear:
            settings["linear.members"] = []
        return {**settings, **(self.settings or {})}

    def _train(self, texts: list[str], labels: Sequence[Any]) -> None:
        settings = self._settings()
        if settings.get("model.mixer", "additive") != "additive":
            raise ValueError("model.mixer must be additive; other mixers run in the program fastformer")
        with tempfile.TemporaryDirectory(prefix="fastformer-") as folder:
            run = pathlib.Path(folder, "run")
            fastformer.train(data=list(zip(texts, labels, strict=True)), settings=settings, output=run,
                             progress=False)
            self.model_files_ = {file.name: file.read_bytes() for file in (run / "model").iterdir()}
        self._load()

    def _load(self) -> None:
        """The files are mapped into memory, so that the folder can go as soon as they are loaded."""
        with tempfile.TemporaryDirectory(prefix="fastformer-") as folder:
            for name, content in self.model_files_.items():
                pathlib.Path(folder, name).write_bytes(content)
            self._model = fastformer.Classifier.load(folder, threads=self.threads)

    def _prepare(self, texts: list[str], y: Any) -> list[Any]:
        """Sets ``classes_`` and ``several_labels_``; the labels of each text as training takes them."""
        if y is None:
            raise ValueError("y is missing; training needs a label for each text")
        labels = _labels(y)
        if len(texts) != len(labels):
            raise ValueError(f"X has {len(texts)} texts and y {len(labels)} labels")
        if not texts:
            raise ValueError("X has no texts")
        self.several_labels_ = labels.ndim == 2
        if self.several_labels_:
            if labels.dtype.kind not in "biuf" or not np.isin(labels, (0, 1)).all():
                raise ValueError("y has two dimensions, but not only zeros and ones; use "
                                 "sklearn.preprocessing.MultiLabelBinarizer for lists of labels")
            self.classes_ = np.arange(labels.shape[1])
            return [[str(c) for c in np.flatnonzero(row)] for row in labels]
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y has {len(self.classes_)} class; expected at least two classes")
        return [str(code) for code in codes]

    def __getstate__(self) -> dict[str, Any]:
        """The model as bytes instead of what is loaded."""
        state = super().__getstate__().copy()
        state.pop("_model", None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Loads the model."""
        super().__setstate__(state)
        if "model_files_" in state:
            self._load()

    def __sklearn_tags__(self) -> Tags:
        """The input is a list of texts."""
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.non_deterministic = False
        return tags


class FastformerClassifier(ClassifierMixin, _Trained):
    """A text classifier with additive attention and linear members.

    ``y`` has one label per text, or a row of zeros and ones per text for several labels.

    Attributes:
        classes_: the labels, sorted; the columns of ``y`` for several labels.
    """

    def fit(self, X: Any, y: ArrayLike) -> FastformerClassifier:  # noqa: N803
        """Trains on texts.

        Raises:
            ValueError: for anything but texts, and if ``X`` and ``y`` have different lengths.
        """
        texts = _texts(X)
        self._train(texts, self._prepare(texts, y))
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:  # noqa: N803
        """The probability of each label: ``[texts, classes]``, in the order of ``classes_``."""
        check_is_fitted(self, "model_files_")
        probabilities = self._model.predict_proba(_texts(X))
        columns = np.zeros((len(probabilities), len(self.classes_)))
        columns[:, [int(name) for name in self._model.labels]] = probabilities
        return columns

    def predict_log_proba(self, X: Any) -> NDArray[np.float64]:  # noqa: N803
        """The logarithms of :meth:`predict_proba`."""
        return np.log(self.predict_proba(X))

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: N803
        """The class of each text; zeros and ones, ``[texts, classes]``, for several labels."""
        check_is_fitted(self, "model_files_")
        texts = _texts(X)
        if not self.several_labels_:
            best = [int(name) for name in self._model.predict(texts)]
            return self.classes_[np.asarray(best, dtype=np.intp)]
        indicators = np.zeros((len(texts), len(self.classes_)), dtype=np.int64)
        for row, names in zip(indicators, self._model.predict(texts), strict=True):
            row[[int(name) for name in names]] = 1
        return indicators

    def __sklearn_tags__(self) -> Tags:
        """A text may have several labels."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class FastformerEmbedder(TransformerMixin, _Trained):
    """Turns texts into the document vectors of a classifier that is trained on them."""

    def fit(self, X: Any, y: ArrayLike) -> FastformerEmbedder:  # noqa: N803
        """Trains on texts; ``y`` as for :class:`FastformerClassifier`."""
        texts = _texts(X)
        self._train(texts, self._prepare(texts, y))
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:  # noqa: N803
        """One vector per text: ``[texts, width]``."""
        check_is_fitted(self, "model_files_")
        return self._model.embed(_texts(X))

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Names of the columns."""
        del input_features
        check_is_fitted(self, "model_files_")
        return np.asarray([f"fastformer{i}" for i in range(self._model.width)], dtype=object)

    def __sklearn_tags__(self) -> Tags:
        """Training needs labels."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags

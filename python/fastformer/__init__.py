"""Text classifiers with additive attention (Fastformer, arXiv 2108.09084) on ordinary CPUs.

>>> import fastformer
>>> classifier = fastformer.Classifier.load("runs/ag_news/model")
>>> classifier.predict("Oil prices fall again")
'3'
>>> classifier.predict_proba(["Oil prices fall again", "The team wins"]).shape
(2, 4)

The package loads trained classifiers and does not need PyTorch. :func:`train`, :func:`autotune`,
:class:`Recommender` and :class:`Summarizer` do: they come from the package ``fastformer-train``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from . import _runtime, ranking, rouge
from ._arguments import integer, mixer_of, settings_of_load, utf8, utf8_list

if TYPE_CHECKING:
    from fastformer_train import ExtractiveSummarizer, Recommender, Summarizer, autotune, train

__all__ = ["Classifier", "__version__", "ranking", "rouge"]
_NEED_TORCH = ("ExtractiveSummarizer", "Recommender", "Summarizer", "autotune", "train")
__version__: str = _runtime.__version__


def __getattr__(name: str) -> Any:
    """What needs torch is imported at the first use."""
    if name in _NEED_TORCH:
        return getattr(_with_torch(f"fastformer.{name}"), name)
    raise AttributeError(f"module 'fastformer' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Also what is imported at the first use."""
    return [*globals(), *_NEED_TORCH]


def _with_torch(what: str) -> Any:
    """The package fastformer_train, for `what`."""
    try:
        import fastformer_train
    except ModuleNotFoundError as error:
        raise ImportError(f"{what} needs {error.name}, which is not installed; for fastformer_train run "
                          "'pip install --no-build-isolation ./python/train' in the source folder") from error
    return fastformer_train


class Classifier:
    """A trained text classifier. Immutable: any number of threads may use it; the GIL is released.

    Predictions agree with those of ``fastformer-run``.
    """

    def __init__(self, runtime: Any, settings: tuple[str, int, int]) -> None:
        """Use :meth:`load`."""
        self._runtime = runtime
        self._settings = settings

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, threads: int = 0,
             max_batch_tokens: int = 16_384) -> Classifier:
        """Loads a model directory.

        Args:
            path: the model directory, such as ``runs/ag_news/model``.
            threads: CPU cores to use; 0: all that the process may use.
            max_batch_tokens: size of the batches of one call, in tokens.

        Raises:
            ValueError: with one sentence, for a folder that is missing, damaged, or of another kind or
                version.
            ImportError: for a network with another mixer than additive attention, without
                fastformer-train.
        """
        settings = settings_of_load(path, threads, max_batch_tokens)
        mixer = mixer_of(settings[0])
        if mixer == "additive":
            return cls(_runtime.Classifier.load(*settings), settings)
        return cls(_with_torch(f"a model with the mixer {mixer!r}").load_classifier(*settings), settings)

    @property
    def labels(self) -> list[str]:
        """The classes, or all labels that texts can have, in the order of the probabilities."""
        return self._runtime.labels

    @property
    def multi_label(self) -> bool:
        """Whether a text has any number of labels."""
        return self._runtime.multi_label

    @overload
    def predict(self, texts: str) -> str | list[str]: ...
    @overload
    def predict(self, texts: Sequence[str]) -> list[str] | list[list[str]]: ...
    def predict(self, texts: Any) -> Any:
        """Returns the class of a text, or a list of classes for a list of texts.

        With ``multi_label``, each result is a list of labels.

        Raises:
            TypeError: for anything but texts.
        """
        one = isinstance(texts, str)
        labels: list[Any] = self._runtime.labels_of(utf8_list([texts] if one else texts))
        if not self.multi_label:
            labels = [names[0] for names in labels]
        return labels[0] if one else labels

    def predict_proba(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """The probability of each label: ``[texts, labels]``, in the order of :attr:`labels`."""
        return self._runtime.probabilities(utf8_list(texts))

    def predict_top_k(self, texts: Sequence[str], k: int) -> list[list[tuple[str, float]]]:
        """The ``k`` most probable labels of each text with their probabilities, best first.

        Raises:
            TypeError: for anything but texts.
            ValueError: if ``k`` is less than 1.
        """
        return self._runtime.top(utf8_list(texts), integer(k, "k", 1))

    @property
    def width(self) -> int:
        """The length of the vectors of :meth:`embed`."""
        return self._runtime.width

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One vector per text: ``[texts, width]``, for example to find similar texts."""
        return self._runtime.embed(utf8_list(texts))

    def explain(self, text: str) -> dict[str, Any]:
        """Explains the prediction for one text.

        Returns:
            ``label`` (or ``labels``), ``probabilities`` by label, ``tokens`` with their weights in the
            pooling and in each layer, ``ngrams`` with what they add to the logit of the label.

        Raises:
            TypeError: for anything but a text.
        """
        if not isinstance(text, str):
            raise TypeError(f"text has type {type(text).__name__}; expected str")
        result: dict[str, Any] = json.loads(self._runtime.explain(utf8(text)))
        return result

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickles the path of the model directory and the settings, not the weights."""
        return _load, self._settings

    def __copy__(self) -> Classifier:
        """The same object, since it is immutable."""
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Classifier:
        """The same object, since it is immutable."""
        return self

    def __repr__(self) -> str:
        """Path and number of labels."""
        return f"fastformer.Classifier({self._settings[0]!r}, {len(self.labels)} labels)"


def _load(path: str, threads: int, max_batch_tokens: int) -> Classifier:
    return Classifier.load(path, threads=threads, max_batch_tokens=max_batch_tokens)

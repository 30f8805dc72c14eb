"""Training for the package ``fastformer``: this package is the half of it that needs torch.

>>> import fastformer
>>> trained = fastformer.train(data=[("great chair", "good"), ("it broke", "bad")] * 50)
>>> trained.model.predict("a great chair")
'good'

It is built for one version of torch, ``fastformer_train.torch_version``.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import shutil
import tempfile
from collections.abc import Callable, Mapping
from typing import Any, Union

import fastformer
import torch

from . import _data

_INSTALLED = torch.__version__.split("+")[0]
try:
    from . import _train
except ImportError as error:
    raise ImportError(f"fastformer_train does not fit torch {_INSTALLED}, which is installed; build it "
                      "for this version: pip install --no-build-isolation ./python/train") from error

__version__: str = _train.__version__
torch_version: str = _train.torch_version
if _INSTALLED != torch_version:
    raise ImportError(f"fastformer_train was built for torch {torch_version}, but torch {_INSTALLED} is "
                      "installed; build it again: pip install --no-build-isolation ./python/train")

from ._models import Recommender, Summarizer  # noqa: E402  (only after the version is known to fit)

__all__ = ["Recommender", "Summarizer", "Trained", "__version__", "autotune", "torch_version", "train"]

Model = Union[fastformer.Classifier, Recommender, Summarizer]
Callback = Callable[[str, dict[str, Any]], object]
_LOADERS: dict[str, Any] = {"classifier": fastformer.Classifier.load, "recommender": Recommender.load,
                            "summarizer": Summarizer.load}


@dataclasses.dataclass(frozen=True)
class Trained:
    """A finished training run.

    Attributes:
        directory: the folder of the run, with the model in ``model/`` and the recipe.
        result: the scores: the content of result.json or, of :func:`autotune`, of the best trial.
    """

    directory: pathlib.Path
    result: dict[str, Any]
    _temporary: tempfile.TemporaryDirectory[str] | None = dataclasses.field(default=None, repr=False)
    _loaded: list[Model] = dataclasses.field(default_factory=list, repr=False)

    @property
    def model(self) -> Model:
        """The model, loaded at the first use."""
        if not self._loaded:
            folder = self.directory / "model"
            self._loaded.append(_LOADERS[_train.kind_of_model(str(folder))](folder))
        return self._loaded[0]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Copies the model directory to a new folder."""
        shutil.copytree(self.directory / "model", path)


def _assignments(settings: Mapping[str, Any] | None) -> list[str]:
    return [f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in (settings or {}).items()]


class _Progress:
    """Shows progress with tqdm, where it is installed, and hands reports on."""

    def __init__(self, callback: Callback | None, shown: bool) -> None:
        self._callback, self._bar, self._tqdm = callback, None, None
        if shown:
            try:
                from tqdm import auto
            except ImportError:
                return
            self._tqdm = auto.tqdm

    def __call__(self, event: str, report: dict[str, Any]) -> None:
        if self._tqdm is not None and event == "step":
            if self._bar is None:
                self._bar = self._tqdm(total=report["total_steps"], initial=report["step"], unit="step",
                                       leave=False)
            self._bar.update(report["step"] - self._bar.n)
            self._bar.set_postfix(loss=f"{report['loss']:.3f}")
        if self._callback is not None:
            self._callback(event, report)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


def _run_folder(output: str | os.PathLike[str] | None
                ) -> tuple[pathlib.Path, tempfile.TemporaryDirectory[str] | None]:
    if output is not None:
        return pathlib.Path(output).absolute(), None
    temporary = tempfile.TemporaryDirectory(prefix="fastformer-")
    return pathlib.Path(temporary.name, "run"), temporary


def _data_settings(parts: Mapping[str, Any], folder: pathlib.Path, text: str,
                   label: str) -> dict[str, Any]:
    """The fields of [data] for files, or for examples in memory, which are written to `folder`."""
    given = {name: data for name, data in parts.items() if data is not None}
    files = {name: _data.is_files(data) for name, data in given.items()}
    if all(files.values()):
        return {f"data.{name}": _data.paths(data) for name, data in given.items()}
    if any(files.values()):
        raise ValueError("some of data, validation and test are files and some are in memory; give all in "
                         "the same way")
    settings: dict[str, Any] = {"data.format": "jsonl", "data.text_columns": [_data.TEXT],
                                "data.label_column": _data.LABEL}
    several = set()
    for name, data in given.items():
        file = folder / "examples" / f"{name}.jsonl"
        several.add(_data.write_examples(data, file, text, label))
        settings[f"data.{name}"] = [str(file)]
    if len(several) > 1:
        raise ValueError("some of data, validation and test have lists of labels and some single labels")
    settings["data.multi_label"] = several.pop()
    return settings


def train(recipe: str | os.PathLike[str] | Mapping[str, Mapping[str, Any]] | None = None, *,
          data: Any = None, validation: Any = None, test: Any = None, text: str = "text",
          label: str = "label", settings: Mapping[str, Any] | None = None,
          output: str | os.PathLike[str] | None = None, resume: bool = False,
          callback: Callback | None = None, progress: bool = True) -> Trained:
    """Trains a model as ``fastformer train`` does.

    Args:
        recipe: a recipe file, or its sections as dictionaries, such as
            ``{"model": {"width": 64}, "train": {"epochs": 4}}``. None: a classifier with the default of
            every field.
        data: training files; or, for a classifier, examples in memory: pairs of text and label,
            dictionaries, a mapping of columns, a pandas or Arrow table, or a Hugging Face dataset. None:
            as the recipe says. Labels may be lists.
        validation, test: the same for the other parts.
        text, label: the columns of examples in memory, or of files if there is no recipe.
        settings: fields that override the recipe, such as ``{"train.epochs": 2}``.
        output: folder of the run; None: a temporary one, which the result keeps.
        resume: continues the run in ``output``, which was interrupted.
        callback: called with an event and a dictionary: ``step`` (at most ten times per second),
            ``validation`` and ``notice`` (a sentence for the user). An exception stops the training.
        progress: shows a progress bar, where tqdm is installed.

    Returns:
        The run, with the model.

    Raises:
        KeyboardInterrupt: after Ctrl-C; all work is saved in ``output``, for ``resume``.
        ValueError: with one sentence, for a wrong recipe or bad data.
    """
    folder, temporary = _run_folder(output)
    if resume and temporary is not None:
        raise ValueError("resume needs the output folder of the interrupted run")
    parts = {"train": data, "validation": validation, "test": test}
    found: dict[str, Any] = {}
    if any(part is not None for part in parts.values()):
        found = _data_settings(parts, folder, text, label)
        if recipe is None and _data.is_files(data):
            found |= {"data.format": _data.format_of(data), "data.text_columns": [text],
                      "data.label_column": label}
    file, sections = "", "{}"
    if isinstance(recipe, (str, os.PathLike)):
        file = os.fspath(recipe)
    elif recipe is not None:
        sections = json.dumps(recipe)
    shown = _Progress(callback, progress)
    try:
        _train.train(file, sections, _assignments({**found, **(settings or {})}), str(folder), resume,
                     shown)
    finally:
        shown.close()
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    return Trained(folder, result, temporary)


def autotune(data: Any, *, test: Any = None, time: float = 600, metric: str = "auto", text: str = "text",
             label: str = "label", settings: Mapping[str, Any] | None = None,
             output: str | os.PathLike[str] | None = None, callback: Callback | None = None) -> Trained:
    """Finds and trains the best classifier in a given time, as ``fastformer autotune`` does.

    Args:
        data: a recipe's [data] section as a dictionary with ``train``, or examples in memory as for
            :func:`train`.
        test: examples that are measured once, at the end.
        time: seconds for everything.
        metric: validation score to maximize, such as ``accuracy`` or ``macro_f1``.
        text, label: the columns of examples in memory.
        settings: fields that override every candidate.
        output: folder for model, recipe and leaderboard; None: a temporary one.
        callback: called with ``trial`` and a dictionary after each trial, and with ``notice``.

    Raises:
        KeyboardInterrupt: after Ctrl-C; the best model so far is saved in ``output``.
        ValueError: with one sentence, for bad data.
    """
    if time <= 0:
        raise ValueError(f"time must be above 0, got {time}")
    folder, temporary = _run_folder(output)
    trials: list[dict[str, Any]] = []

    def report(event: str, values: dict[str, Any]) -> None:
        if event == "trial":
            trials.append(values)
        if callback is not None:
            callback(event, values)

    section: Mapping[str, Any]
    if isinstance(data, Mapping) and "train" in data:
        section = data
    else:
        found = _data_settings({"train": data, "test": test}, folder, text, label)
        section = {name.removeprefix("data."): value for name, value in found.items()}
    assignments = [f"train.metric={metric}", *_assignments(settings)]
    _train.autotune(json.dumps({"data": section}), assignments, str(folder), float(time), report)
    best = max(trials, key=lambda trial: (trial["steps"], trial["score"]))
    return Trained(folder, best, temporary)

"""Training for the package ``fastformer``: the part that needs torch.

>>> import fastformer
>>> trained = fastformer.train(data=[("great chair", "good"), ("it broke", "bad")] * 50)
>>> trained.model.predict("a great chair")
'good'

It is built for one version of torch, ``fastformer_train.torch_version``.
"""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import json
import numbers
import os
import pathlib
import shutil
import tempfile
import threading
import warnings
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Union

import fastformer
import torch
from fastformer._arguments import is_missing, path_of

from ._torch_version import TORCH_VERSION as torch_version

_INSTALLED = torch.__version__.split("+")[0]
if _INSTALLED != torch_version:
    raise ImportError(f"fastformer_train was built for torch {torch_version}, but torch {_INSTALLED} is "
                      "installed; build it again: pip install --no-build-isolation ./python/train")

from . import _data, _train  # noqa: E402  (only after the version is known to fit)
from ._models import ExtractiveSummarizer, RankedDocument, Recommender, Summarizer, plain  # noqa: E402

__all__ = ["ExtractiveSummarizer", "RankedDocument", "Recommender", "Summarizer", "Trained", "__version__",
           "autotune", "torch_version", "train"]
__version__: str = _train.__version__

Model = Union[fastformer.Classifier, Recommender, Summarizer, ExtractiveSummarizer]
Callback = Callable[[str, dict[str, Any]], object]


def load_classifier(path: str, threads: int, max_batch_tokens: int) -> _train.Classifier:
    """A classifier with any mixer, for fastformer.Classifier."""
    return _train.Classifier.load(path, threads, max_batch_tokens)


_LOADERS: dict[str, Any] = {"classifier": fastformer.Classifier.load, "recommender": Recommender.load,
                            "summarizer": Summarizer.load,
                            "extractive summarizer": ExtractiveSummarizer.load}


def _remove(folder: pathlib.Path, process: int) -> None:
    if os.getpid() == process:  # not in a forked child
        shutil.rmtree(folder, ignore_errors=True)


class _Folder:
    """A temporary folder that is removed with the object, which cannot be copied."""

    def __init__(self) -> None:
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="fastformer-"))
        self.remove = weakref.finalize(self, _remove, self.path, os.getpid())

    def __deepcopy__(self, memo: dict[int, Any]) -> _Folder:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("the run is temporary; save() the model, or pass output to train()")


@dataclasses.dataclass(frozen=True)
class Trained:
    """A finished training run.

    Attributes:
        directory: the folder of the run, with the model in ``model/`` and the recipe.
        result: the scores: the content of result.json or, of :func:`autotune`, of the best trial, with
            ``test``, a table of the scores of the test part, if there is one.
    """

    directory: pathlib.Path
    result: dict[str, Any]
    _temporary: _Folder | None = dataclasses.field(default=None, repr=False)
    _loaded: list[Model] = dataclasses.field(default_factory=list, repr=False)

    @property
    def model(self) -> Model:
        """The model, loaded at the first use. It keeps a temporary folder; use :meth:`save` to keep the
        model longer than the process."""
        if not self._loaded:
            folder = self.directory / "model"
            model = _LOADERS[_train.kind_of_model(str(folder))](folder)
            model._folder = self._temporary
            self._loaded.append(model)
        return self._loaded[0]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Copies the model directory to a new folder.

        Raises:
            ValueError: if the folder exists.
            RuntimeError: if it cannot be written.
        """
        folder = path_of(path)
        if os.path.exists(folder):
            raise ValueError(f"{folder} exists; choose another folder")
        try:
            shutil.copytree(self.directory / "model", folder)
        except OSError as error:
            raise RuntimeError(f"{folder} cannot be written: {error.strerror or error}") from error


def _assignments(settings: Mapping[str, Any] | None) -> list[str]:
    if settings is not None and not isinstance(settings, Mapping):
        raise TypeError(f"settings has type {type(settings).__name__}; expected a dictionary such as "
                        "{'train.epochs': 2}")
    texts = []
    for key, value in (settings or {}).items():
        if is_missing(value):
            raise ValueError(f"the setting {key!r} is {value}; leave it out to use the default")
        if not isinstance(key, str) or isinstance(value, Mapping):
            raise ValueError(f"the setting {key!r} is {value!r}; expected a name such as 'model.width' with a "
                             "value")
        texts.append(f"{key}={json.dumps(value, ensure_ascii=False, default=plain)}")
    return texts


class _Progress:
    """Shows progress with tqdm, where it is installed, and passes reports on."""

    def __init__(self, callback: Callback | None, tqdm: Any) -> None:
        self._callback, self._tqdm, self._bar = callback, tqdm, None

    def __call__(self, event: str, report: dict[str, Any]) -> None:
        if self._tqdm is not None and event == "step":
            if self._bar is None:
                self._bar = self._tqdm(total=report["total_steps"], initial=report["step"], unit="step",
                                       leave=False, disable=None)
            self._bar.update(report["step"] - self._bar.n)
            self._bar.set_postfix(loss=f"{report['loss']:.3f}")
        if self._callback is not None:
            self._callback(event, report)
        elif event == "notice":
            warnings.warn(report["text"], stacklevel=3)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


def _tqdm() -> Any:
    try:
        from tqdm import auto
    except ImportError:
        return None
    return auto.tqdm


_running: set[threading.Event] = set()


@contextlib.contextmanager
def _registered() -> Iterator[None]:
    """For the time of a training, so that one in another thread ends before the interpreter does."""
    done = threading.Event()
    _running.add(done)
    try:
        yield
    finally:
        _running.discard(done)
        done.set()


@atexit.register
def _stop() -> None:
    if _running:
        _train.request_stop()
        for done in list(_running):
            done.wait(60)


def _checked(callback: Callback | None) -> Callback | None:
    if callback is not None and not callable(callback):
        raise TypeError(f"callback has type {type(callback).__name__}; expected a function of an event and a "
                        "dictionary")
    return callback


# What a recipe says of files does not hold for examples in memory.
_OF_FILES = {"header": "auto", "delimiter": "auto", "quote": "auto", "quote_escape": "auto", "encoding": "",
             "invalid_utf8": "error", "bad_rows": "error", "label_separator": "", "label_columns": [],
             "group_column": "", "test_text_columns": []}


def _data_settings(parts: Mapping[str, Any], folder: pathlib.Path, text: str | None, label: str | None, *,
                   has_recipe: bool, resume: bool = False) -> dict[str, Any]:
    """The fields of [data] for files, or for examples in memory, which are written to `folder`."""
    given = {name: data for name, data in parts.items() if data is not None}
    if not given:
        return {}
    files = {name: _data.is_files(data) for name, data in given.items()}
    if all(files.values()):
        settings: dict[str, Any] = {f"data.{name}": _data.paths(data) for name, data in given.items()}
        if not has_recipe and "train" in given:
            settings["data.format"] = _data.format_of(given["train"])
        if text is not None or not has_recipe:
            settings["data.text_columns"] = [text or _data.TEXT]
        if label is not None or not has_recipe:
            settings["data.label_column"] = label or _data.LABEL
        return settings
    if any(files.values()):
        raise ValueError("some of data, validation and test are files and some are in memory; give all in "
                         "the same way")
    settings = {f"data.{name}": value for name, value in _OF_FILES.items()}
    settings |= {"data.format": "jsonl", "data.text_columns": [_data.TEXT],
                 "data.label_column": _data.LABEL, "data.validation": [], "data.test": []}
    several = set()
    for name, data in given.items():
        file = folder / "examples" / f"{name}.jsonl"
        several.add(_data.write_examples(data, file, text or _data.TEXT, label or _data.LABEL, resume))
        settings[f"data.{name}"] = [str(file)]
    if len(several) > 1:
        raise ValueError("some of data, validation and test have lists of labels and some single labels")
    settings["data.multi_label"] = several.pop()
    return settings


def _new_folder(output: str | os.PathLike[str] | None, resume: bool
                ) -> tuple[pathlib.Path, _Folder | None]:
    """The folder of a run; refuses one that has a run, before anything is written to it."""
    if output is None:
        if resume:
            raise ValueError("resume needs the output folder of the interrupted run")
        temporary = _Folder()
        return temporary.path / "run", temporary
    folder = pathlib.Path(path_of(output, "output"))
    begun = any((folder / name).exists() for name in ("recipe.toml", "model"))
    if begun and not resume:
        raise ValueError(f"{folder} already contains a run; pass another output, or resume=True to train()")
    if resume and not begun:
        raise ValueError(f"{folder} contains no run to resume")
    return folder, None


def train(recipe: str | os.PathLike[str] | Mapping[str, Mapping[str, Any]] | None = None, *,
          data: Any = None, validation: Any = None, test: Any = None, text: str | None = None,
          label: str | None = None, settings: Mapping[str, Any] | None = None,
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
        text, label: the columns of texts and labels; ``text`` and ``label`` by default, or the
            recipe's.
        settings: fields that override the recipe, such as ``{"train.epochs": 2}``.
        output: folder of the run; None: a temporary one, which the result keeps.
        resume: continues the run in ``output``, which was interrupted.
        callback: called with an event and a dictionary: ``step``, at most ten times per second (step,
            total_steps, epoch, epochs, loss, learning_rate), ``validation`` (step, epoch, best and the
            scores) and ``notice`` (text: a sentence for the user; without a callback it is a warning). An
            exception stops the training.
        progress: shows a progress bar on a terminal or in a notebook, where tqdm is installed.

    Returns:
        The run, with the model.

    Raises:
        KeyboardInterrupt: after Ctrl-C; all work is saved in ``output``, for ``resume``. While data are
            prepared, Ctrl-C waits.
        TypeError, ValueError: with one sentence, for a wrong recipe or bad data.
        RuntimeError: for a file that cannot be written, and a computation that fails.
    """
    folder, temporary = _new_folder(output, resume)
    parts = {"train": data, "validation": validation, "test": test}
    file, sections = None, "{}"
    if isinstance(recipe, (str, os.PathLike)):
        file = path_of(recipe, "recipe")
    elif recipe is not None:
        sections = json.dumps(recipe, default=plain)
    elif data is None:
        raise ValueError("there is neither a recipe nor data; pass data, or a recipe that names files")
    shown = _Progress(_checked(callback), _tqdm() if progress else None)
    try:
        found = _data_settings(parts, folder, text, label, has_recipe=recipe is not None, resume=resume)
        with _registered():
            _train.train(file, sections, [*_assignments(found), *_assignments(settings)], str(folder),
                         resume, shown)
    except BaseException:
        if temporary is not None:
            temporary.remove()
        raise
    finally:
        shown.close()
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    return Trained(folder, result, temporary)


def autotune(data: Any, *, test: Any = None, time: float = 600, size: int = 0, metric: str = "auto",
             text: str | None = None, label: str | None = None, settings: Mapping[str, Any] | None = None,
             output: str | os.PathLike[str] | None = None, callback: Callback | None = None) -> Trained:
    """Finds and trains the best classifier in a given time, as ``fastformer autotune`` does.

    Args:
        data: files or examples in memory, as for :func:`train`, or a recipe's [data] section as a
            dictionary with ``train``.
        test: examples that are measured once, at the end.
        time: seconds for everything.
        size: most bytes of the model's files of parameters; a larger model is quantized. 0: no limit.
        metric: validation score to maximize, such as ``accuracy`` or ``macro_f1``.
        text, label: the columns of the texts and labels.
        settings: fields that override every candidate.
        output: folder for model, recipe and leaderboard; None: a temporary one.
        callback: called with ``trial`` and a dictionary after each trial (candidate, settings, steps,
            seconds, score, loss), and with ``notice`` (text).

    Raises:
        KeyboardInterrupt: after Ctrl-C; the best model so far is saved in ``output``.
        TypeError, ValueError: with one sentence, for bad data.
        RuntimeError: for a file that cannot be written, and a computation that fails.
    """
    if not isinstance(time, numbers.Real) or not time > 0:
        raise ValueError(f"time must be a number of seconds above 0, got {time!r}")
    if not isinstance(size, numbers.Integral) or size < 0:
        raise ValueError(f"size must be a number of bytes from 0, got {size!r}")
    section: Mapping[str, Any]
    shown = _Progress(_checked(callback), None)
    folder, temporary = _new_folder(output, resume=False)
    try:
        names_files = isinstance(data, Mapping) and "train" in data and _data.is_files(data["train"])
        if names_files and text is None:
            if test is not None:
                raise ValueError("data is a [data] section; name the test files in it, without test")
            section = data
        else:
            found = _data_settings({"train": data, "test": test}, folder, text, label, has_recipe=False)
            section = {name.removeprefix("data."): value for name, value in found.items()}
        with _registered():
            result = _train.autotune(json.dumps({"data": section}, default=plain),
                                     [f"train.metric={metric}", *_assignments(settings)], str(folder),
                                     float(time), int(size), shown)
    except BaseException:
        if temporary is not None:
            temporary.remove()
        raise
    return Trained(folder, result, temporary)

"""The Python package against the program fastformer-run, on a model that the program trains."""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import os
import pathlib
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

fastformer = pytest.importorskip("fastformer", reason="build it: scripts/test, or pip install .")

_ROOT = pathlib.Path(__file__).resolve().parents[2]
_BIN = _ROOT / "build" / "release" / "bin"
_TEXTS = ["Oil prices fall again", "the team wins the cup", "", "naïve 東京 🙂", "a\tb"]


def _train(folder: pathlib.Path, rows: list[str], *settings_: str) -> pathlib.Path:
    (folder / "data.csv").write_text("label,text\n" + "\n".join(rows) + "\n", encoding="utf-8")
    (folder / "recipe.toml").write_text(
        '[data]\ntrain = ["data.csv"]\nlabel_column = "label"\ntext_columns = ["text"]\n'
        '[text]\nminimum_count = 1\n'
        '[model]\nwidth = 16\nheads = 2\nlayers = 1\nffn_width = 16\nbigram_buckets = 50\n'
        '[train]\nepochs = 2\n', encoding="utf-8")
    overrides = [part for setting in settings_ for part in ("--set", setting)]
    subprocess.run([_BIN / "fastformer", "train", "recipe.toml", "--output", "run", *overrides],
                   cwd=folder, check=True, capture_output=True)
    return folder / "run" / "model"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    rows = [f"market,oil prices fall {i % 7}" if i % 2 else f"sport,the team wins cup {i % 5}"
            for i in range(120)]
    return _train(tmp_path_factory.mktemp("model"), rows)


@pytest.fixture(scope="module")
def classifier(model: pathlib.Path) -> fastformer.Classifier:
    return fastformer.Classifier.load(model)


def test_equals_the_program_to_the_last_printed_digit(model, classifier, tmp_path):
    texts = [text for text in _TEXTS if "\t" not in text]
    (tmp_path / "texts").write_text("\n".join(texts) + "\n", encoding="utf-8")
    lines = subprocess.run([_BIN / "fastformer-run", "classify", model, tmp_path / "texts"],
                           check=True, capture_output=True, text=True).stdout.splitlines()
    probabilities = classifier.predict_proba(texts)
    assert probabilities.shape == (len(texts), 2) and probabilities.dtype == np.float64
    assert np.allclose(probabilities.sum(axis=1), 1)
    for line, label, row in zip(lines, classifier.predict(texts), probabilities, strict=True):
        assert line.split("\t")[:2] == [label, f"{row.max():.4f}"]
    rows = subprocess.run([_BIN / "fastformer-run", "embed", model, tmp_path / "texts"],
                          check=True, capture_output=True, text=True).stdout.splitlines()
    expected = np.array([[float(x) for x in row.split("\t")] for row in rows], dtype=np.float32)
    assert np.array_equal(classifier.embed(texts), expected)


def test_predicts_one_text_and_many(classifier):
    assert classifier.predict("oil prices") == "market"
    assert classifier.predict(["oil prices", "the team"]) == ["market", "sport"]
    assert classifier.predict([]) == []
    assert classifier.predict_proba([]).shape == (0, 2)
    (best, second), = classifier.predict_top_k(["oil prices"], 5)
    assert best[0] == "market" and best[1] > second[1]
    assert classifier.labels == ["market", "sport"] and not classifier.multi_label


def test_explains(classifier):
    explained = classifier.explain("Oil prices fall")
    assert explained["label"] == "market"
    assert [token["token"] for token in explained["tokens"]] == ["oil", "prices", "fall"]
    assert sum(token["pooling"] for token in explained["tokens"]) == pytest.approx(1)
    assert explained["ngrams"][0]["added"] > 0


def test_several_labels(tmp_path):
    rows = ["a;b,red blue", "a,red", "b,blue", "c,green", "a;c,red green"] * 30
    several = fastformer.Classifier.load(_train(tmp_path, rows, 'data.label_separator=";"'))
    assert several.multi_label and several.labels == ["a", "b", "c"]
    assert isinstance(several.predict("red blue"), list)
    assert all(isinstance(labels, list) for labels in several.predict(["red", "green"]))


def test_wrong_arguments_are_named(classifier, tmp_path):
    with pytest.raises(ValueError, match="is not a model directory"):
        fastformer.Classifier.load(tmp_path / "none")
    with pytest.raises(ValueError, match="threads must be at least 0, got -1"):
        fastformer.Classifier.load(tmp_path, threads=-1)
    with pytest.raises(TypeError, match="expected a list of texts, got str"):
        classifier.predict_proba("one text")
    with pytest.raises(TypeError, match=r"texts\[1\] is missing; expected str"):
        classifier.predict(["a", float("nan")])
    with pytest.raises(TypeError, match="threads has type str; expected an integer"):
        fastformer.Classifier.load(tmp_path, threads="2")
    with pytest.raises(TypeError, match="path has type bytes; expected str"):
        fastformer.Classifier.load(b"model")
    with pytest.raises(TypeError, match="got DataFrame; pass one column"):
        classifier.predict(pd.DataFrame({"text": ["a"]}))
    with pytest.raises(TypeError, match="got dict; pass one column"):
        classifier.predict({"text": "a"})
    with pytest.raises(TypeError, match="k has type float; expected an integer"):
        classifier.predict_top_k(["a"], 2.5)
    with pytest.raises(TypeError, match="expected a list of texts, got int"):
        classifier.predict(3)
    with pytest.raises(ValueError, match="k must be at least 1"):
        classifier.predict_top_k(["a"], 0)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.text(alphabet=st.characters(), max_size=40), max_size=8))
def test_any_texts_have_probabilities(classifier, texts):
    probabilities = classifier.predict_proba([text + "\ud800" for text in texts])
    assert probabilities.shape == (len(texts), 2)
    assert np.isfinite(probabilities).all()
    for text, row in zip(texts, classifier.predict_proba(texts), strict=True):
        assert np.array_equal(classifier.predict_proba([text])[0], row)


def test_pickles_and_threads(classifier):
    copy = pickle.loads(pickle.dumps(classifier))
    expected = classifier.predict_proba(_TEXTS)
    assert np.array_equal(copy.predict_proba(_TEXTS), expected)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for found in pool.map(classifier.predict_proba, [_TEXTS] * 160):
            assert np.array_equal(found, expected)


def test_forked_processes_and_pools(model):
    classifier = fastformer.Classifier.load(model, threads=2)
    texts = _TEXTS * 200
    expected = classifier.predict(texts)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        halves = pool.map_async(classifier.predict, [texts[:500], texts[500:]]).get(timeout=60)
    assert halves[0] + halves[1] == expected
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert list(pool.map(classifier.predict, [texts] * 8, timeout=60)) == [expected] * 8


def test_a_million_calls_leak_nothing(classifier):
    def resident() -> int:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    calls = [classifier.predict, lambda text: classifier.predict_proba([text]),
             lambda text: classifier.predict_top_k([text], 2), lambda text: classifier.embed([text])]
    before = 0
    for i in range(250_000):
        for call in calls:
            call("oil prices")
        if i == 25_000:
            before = resident()
    assert resident() - before < 4_000_000


def test_needs_no_torch():
    code = "import sys, fastformer; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)

"""fastformer.train and autotune, and the models that need torch."""

from __future__ import annotations

import pathlib
import pickle
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pytest

fastformer = pytest.importorskip("fastformer", reason="build it: scripts/test, or pip install .")
pytest.importorskip("fastformer_train", reason="build it: scripts/test, or pip install ./python/train")

_BIN = pathlib.Path(__file__).resolve().parents[2] / "build" / "release" / "bin"
_SMALL = {"model": {"width": 16, "heads": 2, "ffn_width": 16, "bigram_buckets": 50},
          "text": {"minimum_count": 1}, "train": {"epochs": 3}}
_ROWS = [("oil prices fall", "market"), ("the team wins the cup", "sport")] * 40


class _Table:
    """The interface of an Arrow table or a Hugging Face dataset: column names, columns by name."""

    column_names = ("text", "label")

    def __getitem__(self, name):
        return [row[self.column_names.index(name)] for row in _ROWS]


@pytest.mark.parametrize("data", [
    _ROWS,
    [{"text": text, "label": label} for text, label in _ROWS],
    {"text": [text for text, _ in _ROWS], "label": np.array([label for _, label in _ROWS])},
    pd.DataFrame(_ROWS, columns=["text", "label"]),
    _Table(),
    (row for row in _ROWS),
], ids=["pairs", "dictionaries", "columns", "pandas", "table", "iterator"])
def test_trains_on_examples_in_memory(data):
    trained = fastformer.train(_SMALL, data=data, progress=False)
    assert trained.model.labels == ["market", "sport"]
    assert trained.model.predict(["oil prices", "the cup"]) == ["market", "sport"]
    assert trained.result["steps"] == 6  # two batches per epoch


def test_equals_the_program(tmp_path):
    pd.DataFrame(_ROWS, columns=["text", "label"]).to_csv(tmp_path / "data.csv", index=False)
    (tmp_path / "recipe.toml").write_text(
        f'[data]\ntrain = ["{tmp_path}/data.csv"]\ntext_columns = ["text"]\nlabel_column = "label"\n'
        '[model]\nwidth = 16\nheads = 2\n[text]\nminimum_count = 1\n', encoding="utf-8")
    trained = fastformer.train(tmp_path / "recipe.toml", settings={"train.epochs": 2},
                               output=tmp_path / "python")
    subprocess.run([_BIN / "fastformer", "train", tmp_path / "recipe.toml", "--set", "train.epochs=2",
                    "--output", tmp_path / "program"], check=True, capture_output=True)
    weights = [folder / "model" / "model.safetensors"
               for folder in (trained.directory, tmp_path / "program")]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    files = fastformer.train({"model": {"width": 16, "heads": 2}, "text": {"minimum_count": 1}},
                             data=tmp_path / "data.csv", progress=False, settings={
                                 "data.text_columns": ["text"], "data.label_column": "label",
                                 "train.epochs": 2})
    assert (files.directory / "model" / "model.safetensors").read_bytes() == weights[0].read_bytes()
    trained.save(tmp_path / "copy")
    assert fastformer.Classifier.load(tmp_path / "copy").labels == ["market", "sport"]


def test_finds_the_columns_of_a_file_without_a_recipe(tmp_path):
    pd.DataFrame(_ROWS, columns=["review", "stars"]).to_csv(tmp_path / "data.tsv", sep="\t", index=False)
    trained = fastformer.train(data=tmp_path / "data.tsv", text="review", label="stars", progress=False,
                               settings={"model.width": 16, "model.heads": 2})
    assert trained.model.labels == ["market", "sport"]


def test_reports_stops_and_resumes(tmp_path):
    settings = {"train.epochs": 40, "data.validation_fraction": 0.2}
    whole = fastformer.train(_SMALL, data=_ROWS, output=tmp_path / "whole", settings=settings)
    events: list[str] = []

    def stop(event, report):
        events.append(event)
        if event == "validation" and report["step"] >= 20:
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        fastformer.train(_SMALL, data=_ROWS, output=tmp_path / "run", settings=settings, callback=stop)
    assert {"step", "validation"} <= set(events)
    with pytest.raises(ValueError, match="already contains a run"):
        fastformer.train(_SMALL, data=_ROWS, output=tmp_path / "run", settings=settings)
    resumed = fastformer.train(_SMALL, data=_ROWS, output=tmp_path / "run", settings=settings, resume=True)
    assert ((resumed.directory / "model" / "model.safetensors").read_bytes()
            == (whole.directory / "model" / "model.safetensors").read_bytes())


def test_control_c_saves_and_raises(tmp_path):
    code = textwrap.dedent(f"""
        import fastformer, os, signal
        def callback(event, report):
            if event == "step":
                os.kill(os.getpid(), signal.SIGINT)
        try:
            fastformer.train(data={_ROWS!r}, output={str(tmp_path / 'run')!r}, callback=callback,
                             settings={{"train.epochs": 500, "model.width": 16, "model.heads": 2}})
        except KeyboardInterrupt:
            print("interrupted", os.listdir({str(tmp_path / 'run' / 'checkpoints')!r}) != [])
    """)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120,
                          check=True)
    assert done.stdout == "interrupted True\n", done.stderr
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_several_labels_and_autotune():
    rows = [("red blue", ["a", "b"]), ("green", {"c"}), ("none", [])] * 40
    trained = fastformer.train(_SMALL, data=rows, progress=False, settings={"train.epochs": 20})
    assert trained.model.multi_label
    assert sorted(trained.model.predict("red blue")) == ["a", "b"]
    trials: list[dict] = []
    tuned = fastformer.autotune(_ROWS * 3, time=8, settings={"model.width": 16, "model.heads": 2},
                                callback=lambda event, report: trials.append(report))
    assert tuned.model.predict("oil prices") == "market" and trials
    assert (tuned.directory / "recipe.toml").exists() and tuned.result["score"] > 0.9


@pytest.mark.parametrize(("arguments", "error", "message"), [
    ({"data": []}, ValueError, "the data has no rows"),
    ({"data": [("a",)]}, TypeError, "row 0 has type tuple"),
    ({"data": [("a", "x"), (3, "x")]}, TypeError, "row 1: the text has type int; expected str"),
    ({"data": [("a", float("nan"))]}, ValueError, "row 0: the label is missing"),
    ({"data": [("a", ["x"]), ("b", "y")]}, ValueError, "row 1: some rows have a list of labels"),
    ({"data": [{"text": "a"}]}, ValueError, "row 0 has no 'label'"),
    ({"data": pd.DataFrame({"a": [1]})}, ValueError, "no column 'text'; its columns are 'a'"),
    ({"data": {"text": ["a"], "label": []}}, ValueError, "has 1 rows, column 'label' 0"),
    ({"data": 3}, TypeError, "the data has type int"),
    ({"data": _ROWS, "test": "file.csv"}, ValueError, "give all in the same way"),
    ({"recipe": {"model": {"widht": 3}}, "data": _ROWS}, ValueError, "did you mean 'width'"),
    ({"recipe": "none.toml"}, ValueError, "none.toml: cannot be opened"),
    ({"data": _ROWS, "resume": True}, ValueError, "resume needs the output folder"),
])
def test_wrong_arguments_are_named(arguments, error, message):
    with pytest.raises(error, match=message):
        fastformer.train(progress=False, **arguments)


@pytest.fixture(scope="module")
def recommender(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mind")
    generator = np.random.default_rng(1)
    words = [["oil", "market", "price"], ["team", "cup", "goal"]]
    with open(folder / "news.tsv", "w", encoding="utf-8") as file:
        for i in range(40):
            title = " ".join(generator.choice(words[i % 2], 3))
            file.write(f"N{i}\t{'market' if i % 2 == 0 else 'sport'}\t\t{title}\t\t\t\t\n")
    with open(folder / "behaviors.tsv", "w", encoding="utf-8") as file:
        for i in range(200):
            own = [f"N{2 * n + i % 2}" for n in generator.permutation(20)]
            other = f"N{2 * generator.integers(20) + 1 - i % 2}"
            file.write(f"{i}\tU{i}\t11/11/2019 9:00:00 AM\t{' '.join(own[:3])}\t{own[4]}-1 {other}-0\n")
    trained = fastformer.train(
        {"task": {"name": "recommendation"}, "data": {"format": "mind", "train": [str(folder)]},
         "model": {"width": 16, "heads": 2}, "text": {"minimum_count": 1},
         "train": {"epochs": 3}}, progress=False, output=folder / "run")
    return folder, trained.model


def test_recommends(recommender):
    folder, model = recommender
    catalogue = model.catalogue(folder / "news.tsv")
    assert len(catalogue) == 40
    found = model.recommend(catalogue, [["N0", "N2"], ["N1", "N99"], []], top=5, explain=True)
    assert [item["id"] in ("N0", "N2") for item in found[0]["items"]] == [False] * 5
    assert all(int(item["id"][1:]) % 2 == 0 for item in found[0]["items"])
    assert {reason["id"] for reason in found[0]["items"][0]["reasons"]} == {"N0", "N2"}
    assert found[1]["unknown"] == ["N99"] and found[2]["cold"]
    one, = model.recommend(catalogue, [["N0"]], candidates=[["N3", "N4"]])
    assert [item["id"] for item in one["items"]] == ["N4", "N3"]
    own = model.catalogue([{"id": "a", "title": "oil market"}, {"id": "b", "title": "team cup"}])
    ranked, = model.recommend(own, [["a"]], exclude_seen=False)
    assert [item["id"] for item in ranked["items"]] == ["a", "b"]
    users, items = model.embed_users(catalogue, [["N0", "N2"]]), model.embed(["oil", "team"])
    assert users.shape[1] == items.shape[1] and (users @ items.T).shape == (1, 2)
    copy = pickle.loads(pickle.dumps(model))
    assert np.array_equal(copy.embed(["oil"]), model.embed(["oil"]))
    with pytest.raises(ValueError, match="item 0 has no 'title'"):
        model.catalogue([{"id": "a"}])
    with pytest.raises(TypeError, match="one list per user"):
        model.recommend(catalogue, ["N0"])


def test_summarizes(tmp_path):
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text("".join(
        '{"source": "the cat %d sat on the mat . it slept", "target": "the cat sat"}\n' % i
        for i in range(40)), encoding="utf-8")
    trained = fastformer.train(
        {"task": {"name": "summarization"}, "data": {"train": [str(pairs)]},
         "model": {"width": 16, "heads": 2}, "text": {"tokenizer": "word", "minimum_count": 1},
         "train": {"epochs": 2}}, progress=False, output=tmp_path / "run")
    model = trained.model
    assert isinstance(model, fastformer.Summarizer)
    assert isinstance(model.summarize("the cat sat"), str)
    greedy = model.summarize(["the cat 3 sat", ""], method="greedy", max_tokens=3)
    assert len(greedy) == 2 and all(len(text.split()) <= 3 for text in greedy)
    with pytest.raises(ValueError, match="unknown key 'beam'"):
        model.summarize("a", beam=3)
    with pytest.raises(TypeError, match=r"texts\[0\] has type int"):
        model.summarize([3])

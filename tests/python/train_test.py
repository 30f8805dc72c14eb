"""fastformer.train and autotune, and the models that need torch."""

from __future__ import annotations

import copy
import gc
import json
import os
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


def test_what_a_recipe_says_of_files_does_not_hold_for_examples(tmp_path):
    recipe = {**_SMALL, "data": {"train": ["none.csv"], "validation": ["none.csv"], "header": "no",
                                 "encoding": "windows-1252", "text_columns": ["2"], "label_column": "1"}}
    rows = [("le café", "good"), ("münchen", "bad")] * 20
    with pytest.warns(UserWarning, match="are also training texts"):
        trained = fastformer.train(recipe, data=rows, validation=rows[:10], progress=False)
    vocabulary = (trained.directory / "model" / "vocab.txt").read_text(encoding="utf-8").split()
    assert "café" in vocabulary and "münchen" in vocabulary
    pd.DataFrame(rows).to_csv(tmp_path / "data.csv", index=False, header=False)
    recipe["data"] = {"header": "no", "text_columns": ["2"], "label_column": "1"}
    chosen = fastformer.train(recipe, data=tmp_path / "data.csv", text="1", label="2", progress=False)
    assert chosen.model.labels == ["bad", "good"]


def test_copies_of_a_temporary_run_keep_its_folder(tmp_path):
    trained = fastformer.train(_SMALL, data=_ROWS, progress=False)
    copied = copy.deepcopy(trained)
    with pytest.raises(TypeError, match="the run is temporary"):
        pickle.dumps(trained)
    child = os.fork()
    if child == 0:
        del trained, copied
        gc.collect()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    del trained
    gc.collect()
    copied.save(tmp_path / "copy")
    with pytest.raises(ValueError, match="copy exists; choose another folder"):
        copied.save(tmp_path / "copy")


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
    examples = tmp_path / "run" / "examples" / "train.jsonl"
    before = examples.read_bytes()
    other = [("other text", "market"), ("other words", "sport")] * 40
    with pytest.raises(ValueError, match="already contains a run; pass another output"):
        fastformer.train(_SMALL, data=other, output=tmp_path / "run", settings=settings)
    with pytest.raises(ValueError, match="the data differs from that of the interrupted run"):
        fastformer.train(_SMALL, data=other, output=tmp_path / "run", settings=settings, resume=True)
    with pytest.raises(ValueError, match="already contains a run"):
        fastformer.autotune(other, output=tmp_path / "run", time=5)
    assert examples.read_bytes() == before
    with pytest.raises(ValueError, match="contains no run to resume"):
        fastformer.train(_SMALL, data=_ROWS, output=tmp_path / "none", resume=True)
    resumed = fastformer.train(_SMALL, data=_ROWS, output=tmp_path / "run", settings=settings, resume=True)
    assert ((resumed.directory / "model" / "model.safetensors").read_bytes()
            == (whole.directory / "model" / "model.safetensors").read_bytes())


def test_control_c_saves_and_raises(tmp_path):
    run = tmp_path / "run"
    code = textwrap.dedent(f"""
        import fastformer, signal, sys, time
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job may ignore it
        settings = {{"train.epochs": 300, "model.width": 16, "model.heads": 2}}
        resume = sys.argv[1] == "resume"
        def callback(event, report):
            print(event, flush=True)
            time.sleep(60 if event == "step" and not resume else 0)  # until the signal comes
        try:
            fastformer.train(data={_ROWS!r}, output={str(run)!r}, settings=settings, progress=False,
                             resume=resume, callback=callback)
        except KeyboardInterrupt:
            print("interrupted", flush=True)
    """)
    with subprocess.Popen([sys.executable, "-c", code, "new"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line == "step\n":
                process.send_signal(signal.SIGINT)
                break
        lines = process.stdout.read().splitlines()
    assert process.returncode == 0 and lines[-1] == "interrupted"
    assert list((run / "checkpoints").iterdir()) and not (run / "result.json").exists()
    subprocess.run([sys.executable, "-c", code, "resume"], check=True, capture_output=True)
    assert (run / "result.json").exists()


def test_a_training_in_a_thread_is_saved_at_exit(tmp_path):
    code = textwrap.dedent(f"""
        import fastformer, threading
        begun = threading.Event()
        threading.Thread(daemon=True, target=lambda: fastformer.train(
            data={_ROWS!r}, output={str(tmp_path / 'run')!r}, progress=False,
            callback=lambda event, report: begun.set() if event == "step" else None,
            settings={{"train.epochs": 3000, "model.width": 16, "model.heads": 2}})).start()
        begun.wait()
    """)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120,
                          check=True)
    assert "terminate" not in done.stderr
    assert list((tmp_path / "run" / "checkpoints").iterdir())


def test_several_labels_and_autotune():
    rows = [("red blue", ["a", "b"]), ("green", {"c"}), ("none", [])] * 40
    trained = fastformer.train(_SMALL, data=rows, progress=False, settings={"train.epochs": 20})
    assert trained.model.multi_label
    assert sorted(trained.model.predict("red blue")) == ["a", "b"]
    trials: list[dict] = []
    tuned = fastformer.autotune(
        _ROWS * 3, test=_ROWS, time=8, metric="loss", settings={"model.width": 16, "model.heads": 2},
        callback=lambda event, report: trials.append(report) if event == "trial" else None)
    assert tuned.model.predict("oil prices") == "market"
    assert (tuned.directory / "recipe.toml").exists() and "accuracy" in tuned.result["test"]
    best = min((trial for trial in trials if trial["steps"] == max(t["steps"] for t in trials)),
               key=lambda trial: trial["loss"])
    assert {key: tuned.result[key] for key in best} == best


def test_autotune_reads_files(tmp_path):
    pd.DataFrame(_ROWS * 3, columns=["review", "stars"]).to_csv(tmp_path / "data.csv", index=False)
    tuned = fastformer.autotune(tmp_path / "data.csv", text="review", label="stars", time=6,
                                settings={"model.width": np.int64(16), "model.heads": 2})
    assert tuned.model.labels == ["market", "sport"]
    with pytest.raises(ValueError, match="name the test files in it"):
        fastformer.autotune({"train": [str(tmp_path / "data.csv")]}, test=_ROWS, time=5)
    with pytest.raises(ValueError, match="time must be a number of seconds above 0"):
        fastformer.autotune(_ROWS, time=0)


def test_other_mixers_run_on_torch(tmp_path):
    trained = fastformer.train({**_SMALL, "model": {"width": 16, "heads": 2, "mixer": "softmax"}},
                               data=_ROWS, progress=False, output=tmp_path / "run")
    model = trained.model
    assert isinstance(model, fastformer.Classifier)
    assert model.predict(["oil prices", "the cup"]) == ["market", "sport"]
    assert model.embed(["oil"]).shape == (1, 16) and model.explain("oil")["label"] == "market"
    assert pickle.loads(pickle.dumps(model)).labels == model.labels


@pytest.mark.parametrize(("arguments", "error", "message"), [
    ({"data": []}, ValueError, "the train data has no rows"),
    ({"data": [("a",)]}, TypeError, "row 0 has type tuple"),
    ({"data": [("a", "x"), (3, "x")]}, TypeError, "row 1: the text has type int; expected str"),
    ({"data": [("a", float("nan"))]}, ValueError, "row 0: the label is missing"),
    ({"data": [(pd.NA, "x")]}, ValueError, "row 0: the text is missing"),
    ({"data": [("a", pd.NA)]}, ValueError, "row 0: the label is missing"),
    ({"data": [("a", pd.Timestamp("2026-01-01"))]}, ValueError, "of type Timestamp"),
    ({"data": pd.DataFrame([["a", "x", "y"]], columns=["text", "label", "label"])}, ValueError,
     "2 columns 'label'"),
    ({"data": _ROWS, "validation": []}, ValueError, "the validation data has no rows"),
    ({"data": _ROWS, "output": ""}, ValueError, "output is ''; expected the name"),
    ({"data": _ROWS, "settings": [1]}, TypeError, "settings has type list; expected a dictionary"),
    ({"data": _ROWS, "settings": {"model": {"width": 1}}}, ValueError, "such as 'model.width'"),
    ({"data": _ROWS, "callback": "print"}, TypeError, "callback has type str"),
    ({}, ValueError, "neither a recipe nor data"),
    ({"data": [("a", ["x"]), ("b", "y")]}, ValueError, "row 1: some rows have a list of labels"),
    ({"data": [{"text": "a"}]}, ValueError, "row 0 has no 'label'"),
    ({"data": pd.DataFrame({"a": [1]})}, ValueError, "no column 'text'; its columns are 'a'"),
    ({"data": {"text": ["a"], "label": []}}, ValueError, "has 1 rows, column 'label' 0"),
    ({"data": 3}, TypeError, "the data has type int"),
    ({"data": _ROWS, "test": "file.csv"}, ValueError, "give all in the same way"),
    ({"recipe": {"model": {"widht": 3}}, "data": _ROWS}, ValueError, "did you mean 'width'"),
    ({"recipe": "none.toml"}, ValueError, "none.toml: cannot be opened"),
    ({"data": _ROWS, "resume": True}, ValueError, "resume needs the output folder"),
    ({"data": _ROWS, "settings": {"train.epochs": None}}, ValueError, "the setting 'train.epochs' is None"),
    ({"data": _ROWS, "settings": {"train.epochs": object()}}, TypeError, "a setting has type object"),
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
    near = model.catalogue(folder / "news.tsv", approximate=True)
    same = model.recommend(near, [["N0", "N2"]], top=5)
    assert [item["score"] for item in same[0]["items"]] == pytest.approx(
        [item["score"] for item in found[0]["items"]], rel=1e-4)
    own = model.catalogue([{"id": "a", "title": "oil market"}, {"id": "b", "title": "team cup"}])
    diverse, = model.recommend(catalogue, [["N0", "N2"]], top=5, diversity=0.9)
    assert {int(item["id"][1:]) % 2 for item in diverse["items"]} == {0, 1}
    ranked, = model.recommend(own, [["a"]], exclude_seen=False)
    assert [item["id"] for item in ranked["items"]] == ["a", "b"]
    users, items = model.embed_users(catalogue, [["N0", "N2"]]), model.embed(["oil", "team"])
    assert users.shape[1] == items.shape[1] and (users @ items.T).shape == (1, 2)
    copy = pickle.loads(pickle.dumps(fastformer.Recommender.load(folder / "run" / "model", threads=1)))
    assert np.array_equal(copy.embed(["oil"]), model.embed(["oil"])) and copy._settings[1] == 1
    table = model.catalogue(pd.DataFrame({"id": ["a"], "title": ["oil"], "category": [float("nan")]}))
    assert len(table) == 1
    with pytest.raises(ValueError, match="item 0 has no 'title'"):
        model.catalogue([{"id": "a"}])
    with pytest.raises(TypeError, match=r"histories\[0\]\[1\] has type int"):
        model.recommend(catalogue, [["N0", 5]])
    with pytest.raises(ValueError, match="top must be at least 1, got 0"):
        model.recommend(catalogue, [["N0"]], top=0)
    with pytest.raises(ValueError, match="index is for a file of items"):
        model.catalogue([{"id": "a", "title": "b"}], index="file")
    with pytest.raises(TypeError, match="one list per user"):
        model.recommend(catalogue, ["N0"])


def test_extracts(tmp_path):
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text("".join(
        json.dumps({"source": f"The dog {i} barked. The cat sat. It rained in May.", "target": "the cat sat"})
        + "\n" for i in range(60)), encoding="utf-8")
    trained = fastformer.train(
        {"task": {"name": "summarization"}, "data": {"train": [str(pairs)], "validation_fraction": 0.2},
         "model": {"kind": "extractive", "width": 16, "heads": 2, "ffn_width": 16, "layers": 1},
         "text": {"minimum_count": 1}, "train": {"epochs": 8, "learning_rate": 0.01, "batch_size": 8}},
        progress=False, output=tmp_path / "run")
    model = trained.model
    assert isinstance(model, fastformer.ExtractiveSummarizer)
    document = "Ä day. The dog 3 barked. The cat sat. It rained in May."
    assert model.summarize(document, sentences=1) == "The cat sat."
    assert model.summarize([document, ""], words=3) == ["The cat sat.", ""]
    ranked = model.rank(document)
    assert [document[one["begin"]:one["end"]] for one in ranked.sentences] == [
        one["text"] for one in ranked.sentences]
    assert max(ranked.sentences, key=lambda one: one["score"])["text"] == "The cat sat."
    assert ranked.chosen(sentences=4) == [0, 1, 2, 3]
    assert ranked.summarize(ratio=1.0) == document
    assert pickle.loads(pickle.dumps(model)).summarize(document, sentences=1) == "The cat sat."
    with pytest.raises(ValueError, match="unknown key 'word'"):
        model.summarize("a", word=3)
    with pytest.raises(ValueError, match="all 0"):
        ranked.summarize(words=0)


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
    with pytest.raises(TypeError, match=r"documents\[0\] has type int"):
        model.summarize([3])
